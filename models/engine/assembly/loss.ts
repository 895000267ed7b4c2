// Quantiles from (middle, widths) and their pinball loss. out and widths are [1 + 2 * sides][width] a row: the middle,
// then the lower widths from the middle outwards, then the upper ones; width (targets * padded horizon) is a multiple
// of 4.
import { sigmoid, softplus, splat, sum } from "./vector";

/** Gradient of the pinball loss by the quantile: -tau above it, 1 - tau below, 0 where they are equal. */
@inline function slope(error: v128, tau: f32): v128 {
  const zero = splat(0.0);
  return v128.or(v128.and(f32x4.gt(error, zero), splat(-tau)), v128.and(f32x4.lt(error, zero), splat(1 - tau)));
}

/**
 * Overwrites out [rows][1 + 2 * sides][width] with the quantiles in the same order: middle -+ sums of softplus(width +
 * out).
 */
export function quantiles(out: usize, widths: usize, rows: usize, width: usize, sides: usize): void {
  const partBytes = width << 2;
  for (let row: usize = 0; row < rows; row++) {
    for (let i: usize = 0; i < partBytes; i += 16) {
      let lower = v128.load(out + i);
      let upper = lower;
      for (let side: usize = 1; side <= sides; side++) {
        const below = side * partBytes + i;
        const above = (side + sides) * partBytes + i;
        lower = f32x4.sub(lower, softplus(f32x4.add(v128.load(out + below), v128.load(widths + below))));
        upper = f32x4.add(upper, softplus(f32x4.add(v128.load(out + above), v128.load(widths + above))));
        v128.store(out + below, lower);
        v128.store(out + above, upper);
      }
    }
    out += (1 + 2 * sides) * partBytes;
  }
}

/**
 * Sum of the pinball losses (Koenker & Bassett 1978) of out against wanted [rows][width], NaN left out; out becomes the
 * gradient times `scale`. `levels` [sides] are the lower levels from the middle outwards, their mirror images the upper
 * ones; `slopes` is scratch of 8 * (sides + 1) floats.
 */
export function pinball(out: usize, widths: usize, wanted: usize, levels: usize, slopes: usize, rows: usize, width: usize, sides: usize, scale: f32): f64 {
  const partBytes = width << 2;
  let total: f64 = 0;
  for (let row: usize = 0; row < rows; row++) {
    let loss: v128 = splat(0.0);
    for (let i: usize = 0; i < partBytes; i += 16) {
      const y = v128.load(wanted + i);
      const present = f32x4.eq(y, y);
      const middle = v128.load(out + i);
      const weight = v128.and(present, splat(scale));
      const error = v128.and(present, f32x4.sub(y, middle));
      loss = f32x4.add(loss, f32x4.mul(splat(0.5), f32x4.abs(error)));
      let dMiddle = slope(error, 0.5);
      let lower = middle;
      let upper = middle;
      for (let side: usize = 1; side <= sides; side++) {
        const below = side * partBytes + i;
        const above = (side + sides) * partBytes + i;
        const tau = f32.load(levels + ((side - 1) << 2));
        const belowWidth = f32x4.add(v128.load(out + below), v128.load(widths + below));
        const aboveWidth = f32x4.add(v128.load(out + above), v128.load(widths + above));
        lower = f32x4.sub(lower, softplus(belowWidth));
        upper = f32x4.add(upper, softplus(aboveWidth));
        const lowerError = v128.and(present, f32x4.sub(y, lower));
        const upperError = v128.and(present, f32x4.sub(y, upper));
        loss = f32x4.add(loss, f32x4.max(f32x4.mul(lowerError, splat(tau)), f32x4.mul(lowerError, splat(tau - 1))));
        loss = f32x4.add(loss, f32x4.max(f32x4.mul(upperError, splat(1 - tau)), f32x4.mul(upperError, splat(-tau))));
        const dLower = slope(lowerError, tau);
        const dUpper = slope(upperError, 1 - tau);
        dMiddle = f32x4.add(dMiddle, f32x4.add(dLower, dUpper));
        v128.store(slopes + (side << 5), dLower);
        v128.store(slopes + (side << 5), dUpper, 16);
        v128.store(out + below, f32x4.mul(sigmoid(belowWidth), weight));
        v128.store(out + above, f32x4.mul(sigmoid(aboveWidth), weight));
      }
      // A quantile moves with every width between it and the middle: walk inwards and collect.
      let fromLower: v128 = splat(0.0);
      let fromUpper: v128 = splat(0.0);
      for (let side = sides; side > 0; side--) {
        const below = side * partBytes + i;
        const above = (side + sides) * partBytes + i;
        fromLower = f32x4.sub(fromLower, v128.load(slopes + (side << 5)));
        fromUpper = f32x4.add(fromUpper, v128.load(slopes + (side << 5), 16));
        v128.store(out + below, f32x4.mul(v128.load(out + below), fromLower));
        v128.store(out + above, f32x4.mul(v128.load(out + above), fromUpper));
      }
      v128.store(out + i, f32x4.mul(dMiddle, weight));
    }
    total += sum(loss) as f64;
    out += (1 + 2 * sides) * partBytes;
    wanted += partBytes;
  }
  return total;
}
