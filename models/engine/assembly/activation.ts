// Elementwise layers. Counts and widths are multiples of 4.
import { clamp, madd, sigmoid, splat, tanh } from "./vector";

/** y = x limited to [-limit, limit]. */
export function clip(y: usize, x: usize, count: usize, limit: f32): void {
  for (let i: usize = 0; i < count << 2; i += 16) v128.store(y + i, clamp(v128.load(x + i), limit));
}

/** y = mask x sigmoid(x) (SiLU: Elfwing et al. 2018). */
export function siluForward(y: usize, x: usize, mask: usize, count: usize): void {
  for (let i: usize = 0; i < count << 2; i += 16) {
    const v = v128.load(x + i);
    v128.store(y + i, f32x4.mul(f32x4.mul(v, sigmoid(v)), v128.load(mask + i)));
  }
}

/** dx = mask dy (s + x s (1 - s)), s = sigmoid(x); dx may be dy. */
export function siluBackward(dx: usize, dy: usize, x: usize, mask: usize, count: usize): void {
  for (let i: usize = 0; i < count << 2; i += 16) {
    const v = v128.load(x + i);
    const s = sigmoid(v);
    const slope = madd(f32x4.mul(v, s), f32x4.sub(splat(1.0), s), s);
    v128.store(dx + i, f32x4.mul(f32x4.mul(v128.load(dy + i), v128.load(mask + i)), slope));
  }
}

/**
 * mask = 0 with the given probability, else 1 / (1 - probability); four xorshift32 streams (Marsaglia 2003) in `state`
 * (16 bytes).
 */
export function dropout(mask: usize, count: usize, probability: f32, state: usize): void {
  const keep = splat(1.0 / (1.0 - probability));
  const threshold = i32x4.splat((probability * 2147483648.0) as i32);
  let s = v128.load(state);
  for (let i: usize = 0; i < count << 2; i += 16) {
    s = v128.xor(s, i32x4.shl(s, 13));
    s = v128.xor(s, i32x4.shr_u(s, 17));
    s = v128.xor(s, i32x4.shl(s, 5));
    v128.store(mask + i, v128.and(keep, i32x4.ge_s(i32x4.shr_u(s, 1), threshold)));
  }
  v128.store(state, s);
}

/** x = value, count times. */
export function fill(x: usize, count: usize, value: f32): void {
  const v = splat(value);
  for (let i: usize = 0; i < count << 2; i += 16) v128.store(x + i, v);
}

/** y[rows, units, width] = tanh(scale (x - centre)), x [rows, width], scale and centre [units, width]. */
export function embedForward(
  y: usize,
  x: usize,
  scale: usize,
  centre: usize,
  rows: usize,
  width: usize,
  units: usize,
): void {
  const rowBytes = width << 2;
  for (let row: usize = 0; row < rows; row++) {
    let s = scale;
    let c = centre;
    for (let unit: usize = 0; unit < units; unit++) {
      for (let i: usize = 0; i < rowBytes; i += 16) {
        v128.store(y + i, tanh(f32x4.mul(v128.load(s + i), f32x4.sub(v128.load(x + i), v128.load(c + i)))));
      }
      y += rowBytes;
      s += rowBytes;
      c += rowBytes;
    }
    x += rowBytes;
  }
}

/** dScale += dy (1 - y^2) (x - centre), dCentre -= dy (1 - y^2) scale, summed over the rows. */
export function embedBackward(
  dScale: usize,
  dCentre: usize,
  dy: usize,
  y: usize,
  x: usize,
  scale: usize,
  centre: usize,
  rows: usize,
  width: usize,
  units: usize,
): void {
  const rowBytes = width << 2;
  for (let row: usize = 0; row < rows; row++) {
    let at: usize = 0;
    for (let unit: usize = 0; unit < units; unit++) {
      for (let i: usize = 0; i < rowBytes; i += 16) {
        const value = v128.load(y + at);
        const d = f32x4.mul(v128.load(dy + at), f32x4.sub(splat(1.0), f32x4.mul(value, value)));
        const offset = f32x4.sub(v128.load(x + i), v128.load(centre + at));
        v128.store(dScale + at, madd(d, offset, v128.load(dScale + at)));
        v128.store(dCentre + at, f32x4.sub(v128.load(dCentre + at), f32x4.mul(d, v128.load(scale + at))));
        at += 16;
      }
    }
    y += units * rowBytes;
    dy += units * rowBytes;
    x += rowBytes;
  }
}
