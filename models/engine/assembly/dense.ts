// Matrix products. A weight matrix [depth, width] is stored in panels of eight columns, [width / 8][depth][8], and, if
// width is an odd multiple of 4, one last panel [depth][4]: column c begins at c * depth. Row strides are in floats.
// rows and width are multiples of 4.
import { madd, splat, sum } from "./vector";
import { wide } from "./wide";

/** y[rows, width] = x[rows, depth] w (+ bias[width], where bias is not 0) (+ y, when adding). */
export function multiply(
  y: usize, yStride: usize, x: usize, xStride: usize, w: usize, bias: usize, rows: usize, depth: usize, width: usize, add: bool,
): void {
  let column: usize = 0;
  if (wide) {
    for (; column + 16 <= width; column += 16) {
      const panel = w + ((column * depth) << 2);
      for (let row: usize = 0; row < rows; row += 4) {
        multiplySixteen(y + ((row * yStride + column) << 2), yStride << 2, x + ((row * xStride) << 2), xStride << 2, panel, bias ? bias + (column << 2) : 0, depth, add);
      }
    }
  }
  for (; column + 8 <= width; column += 8) {
    const panel = w + ((column * depth) << 2);
    for (let row: usize = 0; row < rows; row += 4) {
      multiplyEight(y + ((row * yStride + column) << 2), yStride << 2, x + ((row * xStride) << 2), xStride << 2, panel, bias ? bias + (column << 2) : 0, depth, add);
    }
  }
  if (column < width) {
    const panel = w + ((column * depth) << 2);
    for (let row: usize = 0; row < rows; row += 4) {
      multiplyFour(y + ((row * yStride + column) << 2), yStride << 2, x + ((row * xStride) << 2), xStride << 2, panel, bias ? bias + (column << 2) : 0, depth, add);
    }
  }
}

// Four by sixteen: eight pairs of vectors, for engines that join adjacent pairs to 256 bits (see wide.ts).
@inline function multiplySixteen(y: usize, yBytes: usize, x: usize, xBytes: usize, w: usize, bias: usize, depth: usize, add: bool): void {
  let w0 = w;
  let w1 = w + (depth << 5);
  const y1 = y + yBytes;
  const y2 = y1 + yBytes;
  const y3 = y2 + yBytes;
  let a0 = splat(0.0), a1 = splat(0.0), a2 = splat(0.0), a3 = splat(0.0);
  let b0 = splat(0.0), b1 = splat(0.0), b2 = splat(0.0), b3 = splat(0.0);
  let c0 = splat(0.0), c1 = splat(0.0), c2 = splat(0.0), c3 = splat(0.0);
  let d0 = splat(0.0), d1 = splat(0.0), d2 = splat(0.0), d3 = splat(0.0);
  if (bias) {
    a0 = a1 = a2 = a3 = v128.load(bias, 0);
    b0 = b1 = b2 = b3 = v128.load(bias, 16);
    c0 = c1 = c2 = c3 = v128.load(bias, 32);
    d0 = d1 = d2 = d3 = v128.load(bias, 48);
  }
  if (add) {
    a0 = f32x4.add(a0, v128.load(y, 0));
    b0 = f32x4.add(b0, v128.load(y, 16));
    c0 = f32x4.add(c0, v128.load(y, 32));
    d0 = f32x4.add(d0, v128.load(y, 48));
    a1 = f32x4.add(a1, v128.load(y1, 0));
    b1 = f32x4.add(b1, v128.load(y1, 16));
    c1 = f32x4.add(c1, v128.load(y1, 32));
    d1 = f32x4.add(d1, v128.load(y1, 48));
    a2 = f32x4.add(a2, v128.load(y2, 0));
    b2 = f32x4.add(b2, v128.load(y2, 16));
    c2 = f32x4.add(c2, v128.load(y2, 32));
    d2 = f32x4.add(d2, v128.load(y2, 48));
    a3 = f32x4.add(a3, v128.load(y3, 0));
    b3 = f32x4.add(b3, v128.load(y3, 16));
    c3 = f32x4.add(c3, v128.load(y3, 32));
    d3 = f32x4.add(d3, v128.load(y3, 48));
  }
  let x0 = x;
  let x1 = x0 + xBytes;
  let x2 = x1 + xBytes;
  let x3 = x2 + xBytes;
  const end = x + (depth << 2);
  while (x0 < end) {
    const wa = v128.load(w0);
    const wb = v128.load(w0, 16);
    const wc = v128.load(w1);
    const wd = v128.load(w1, 16);
    const v0 = v128.load32_splat(x0);
    a0 = madd(v0, wa, a0);
    b0 = madd(v0, wb, b0);
    c0 = madd(v0, wc, c0);
    d0 = madd(v0, wd, d0);
    const v1 = v128.load32_splat(x1);
    a1 = madd(v1, wa, a1);
    b1 = madd(v1, wb, b1);
    c1 = madd(v1, wc, c1);
    d1 = madd(v1, wd, d1);
    const v2 = v128.load32_splat(x2);
    a2 = madd(v2, wa, a2);
    b2 = madd(v2, wb, b2);
    c2 = madd(v2, wc, c2);
    d2 = madd(v2, wd, d2);
    const v3 = v128.load32_splat(x3);
    a3 = madd(v3, wa, a3);
    b3 = madd(v3, wb, b3);
    c3 = madd(v3, wc, c3);
    d3 = madd(v3, wd, d3);
    w0 += 32;
    w1 += 32;
    x0 += 4;
    x1 += 4;
    x2 += 4;
    x3 += 4;
  }
  v128.store(y, a0, 0);
  v128.store(y, b0, 16);
  v128.store(y, c0, 32);
  v128.store(y, d0, 48);
  v128.store(y1, a1, 0);
  v128.store(y1, b1, 16);
  v128.store(y1, c1, 32);
  v128.store(y1, d1, 48);
  v128.store(y2, a2, 0);
  v128.store(y2, b2, 16);
  v128.store(y2, c2, 32);
  v128.store(y2, d2, 48);
  v128.store(y3, a3, 0);
  v128.store(y3, b3, 16);
  v128.store(y3, c3, 32);
  v128.store(y3, d3, 48);
}

@inline function multiplyEight(y: usize, yBytes: usize, x: usize, xBytes: usize, w: usize, bias: usize, depth: usize, add: bool): void {
  let low: v128 = splat(0.0);
  let high: v128 = splat(0.0);
  if (bias) {
    low = v128.load(bias);
    high = v128.load(bias, 16);
  }
  const y1 = y + yBytes;
  const y2 = y1 + yBytes;
  const y3 = y2 + yBytes;
  let a0 = low, a1 = low, a2 = low, a3 = low;
  let b0 = high, b1 = high, b2 = high, b3 = high;
  if (add) {
    a0 = f32x4.add(a0, v128.load(y));
    b0 = f32x4.add(b0, v128.load(y, 16));
    a1 = f32x4.add(a1, v128.load(y1));
    b1 = f32x4.add(b1, v128.load(y1, 16));
    a2 = f32x4.add(a2, v128.load(y2));
    b2 = f32x4.add(b2, v128.load(y2, 16));
    a3 = f32x4.add(a3, v128.load(y3));
    b3 = f32x4.add(b3, v128.load(y3, 16));
  }
  let x0 = x;
  let x1 = x0 + xBytes;
  let x2 = x1 + xBytes;
  let x3 = x2 + xBytes;
  const end = x + (depth << 2);
  while (x0 < end) {
    const left = v128.load(w);
    const right = v128.load(w, 16);
    const v0 = v128.load32_splat(x0);
    a0 = madd(v0, left, a0);
    b0 = madd(v0, right, b0);
    const v1 = v128.load32_splat(x1);
    a1 = madd(v1, left, a1);
    b1 = madd(v1, right, b1);
    const v2 = v128.load32_splat(x2);
    a2 = madd(v2, left, a2);
    b2 = madd(v2, right, b2);
    const v3 = v128.load32_splat(x3);
    a3 = madd(v3, left, a3);
    b3 = madd(v3, right, b3);
    w += 32;
    x0 += 4;
    x1 += 4;
    x2 += 4;
    x3 += 4;
  }
  v128.store(y, a0);
  v128.store(y, b0, 16);
  v128.store(y1, a1);
  v128.store(y1, b1, 16);
  v128.store(y2, a2);
  v128.store(y2, b2, 16);
  v128.store(y3, a3);
  v128.store(y3, b3, 16);
}

@inline function multiplyFour(y: usize, yBytes: usize, x: usize, xBytes: usize, w: usize, bias: usize, depth: usize, add: bool): void {
  let start: v128 = splat(0.0);
  if (bias) start = v128.load(bias);
  const y1 = y + yBytes;
  const y2 = y1 + yBytes;
  const y3 = y2 + yBytes;
  let a0 = start, a1 = start, a2 = start, a3 = start;
  if (add) {
    a0 = f32x4.add(a0, v128.load(y));
    a1 = f32x4.add(a1, v128.load(y1));
    a2 = f32x4.add(a2, v128.load(y2));
    a3 = f32x4.add(a3, v128.load(y3));
  }
  let x0 = x;
  let x1 = x0 + xBytes;
  let x2 = x1 + xBytes;
  let x3 = x2 + xBytes;
  const end = x + (depth << 2);
  while (x0 < end) {
    const left = v128.load(w);
    a0 = madd(v128.load32_splat(x0), left, a0);
    a1 = madd(v128.load32_splat(x1), left, a1);
    a2 = madd(v128.load32_splat(x2), left, a2);
    a3 = madd(v128.load32_splat(x3), left, a3);
    w += 16;
    x0 += 4;
    x1 += 4;
    x2 += 4;
    x3 += 4;
  }
  v128.store(y, a0);
  v128.store(y1, a1);
  v128.store(y2, a2);
  v128.store(y3, a3);
}

/** dw[depth, width] += x[rows, depth]^T dy[rows, width], in tiles of four by eight. */
export function multiplyGradient(
  dw: usize, x: usize, xStride: usize, dy: usize, yStride: usize, rows: usize, depth: usize, width: usize,
): void {
  const whole = depth & ~3;
  let column: usize = 0;
  if (wide) {
    for (; column + 16 <= width; column += 16) {
      const panel = dw + ((column * depth) << 2);
      const from = dy + (column << 2);
      let k: usize = 0;
      for (; k < whole; k += 4) tileSixteen(panel + (k << 5), depth << 5, x + (k << 2), xStride << 2, from, yStride << 2, rows);
      for (; k < depth; k++) {
        rowEight(panel + (k << 5), x + (k << 2), xStride << 2, from, yStride << 2, rows);
        rowEight(panel + ((k + depth) << 5), x + (k << 2), xStride << 2, from + 32, yStride << 2, rows);
      }
    }
  }
  for (; column < width; column += 8) {
    const panel = dw + ((column * depth) << 2);
    const from = dy + (column << 2);
    if (column + 8 <= width) {
      let k: usize = 0;
      for (; k < whole; k += 4) tileEight(panel + (k << 5), x + (k << 2), xStride << 2, from, yStride << 2, rows);
      for (; k < depth; k++) rowEight(panel + (k << 5), x + (k << 2), xStride << 2, from, yStride << 2, rows);
    } else {
      for (let k: usize = 0; k < depth; k++) rowFour(panel + (k << 4), x + (k << 2), xStride << 2, from, yStride << 2, rows);
    }
  }
}

// Four by sixteen, as multiplySixteen; the second panel lies panelBytes behind the first.
@inline function tileSixteen(dw: usize, panelBytes: usize, x: usize, xBytes: usize, dy: usize, yBytes: usize, rows: usize): void {
  const next = dw + panelBytes;
  let a0 = v128.load(dw, 0), b0 = v128.load(dw, 16), c0 = v128.load(next, 0), d0 = v128.load(next, 16);
  let a1 = v128.load(dw, 32), b1 = v128.load(dw, 48), c1 = v128.load(next, 32), d1 = v128.load(next, 48);
  let a2 = v128.load(dw, 64), b2 = v128.load(dw, 80), c2 = v128.load(next, 64), d2 = v128.load(next, 80);
  let a3 = v128.load(dw, 96), b3 = v128.load(dw, 112), c3 = v128.load(next, 96), d3 = v128.load(next, 112);
  for (let row: usize = 0; row < rows; row++) {
    const ya = v128.load(dy);
    const yb = v128.load(dy, 16);
    const yc = v128.load(dy, 32);
    const yd = v128.load(dy, 48);
    const v0 = v128.load32_splat(x, 0);
    a0 = madd(v0, ya, a0);
    b0 = madd(v0, yb, b0);
    c0 = madd(v0, yc, c0);
    d0 = madd(v0, yd, d0);
    const v1 = v128.load32_splat(x, 4);
    a1 = madd(v1, ya, a1);
    b1 = madd(v1, yb, b1);
    c1 = madd(v1, yc, c1);
    d1 = madd(v1, yd, d1);
    const v2 = v128.load32_splat(x, 8);
    a2 = madd(v2, ya, a2);
    b2 = madd(v2, yb, b2);
    c2 = madd(v2, yc, c2);
    d2 = madd(v2, yd, d2);
    const v3 = v128.load32_splat(x, 12);
    a3 = madd(v3, ya, a3);
    b3 = madd(v3, yb, b3);
    c3 = madd(v3, yc, c3);
    d3 = madd(v3, yd, d3);
    x += xBytes;
    dy += yBytes;
  }
  v128.store(dw, a0, 0);
  v128.store(dw, b0, 16);
  v128.store(next, c0, 0);
  v128.store(next, d0, 16);
  v128.store(dw, a1, 32);
  v128.store(dw, b1, 48);
  v128.store(next, c1, 32);
  v128.store(next, d1, 48);
  v128.store(dw, a2, 64);
  v128.store(dw, b2, 80);
  v128.store(next, c2, 64);
  v128.store(next, d2, 80);
  v128.store(dw, a3, 96);
  v128.store(dw, b3, 112);
  v128.store(next, c3, 96);
  v128.store(next, d3, 112);
}

@inline function tileEight(dw: usize, x: usize, xBytes: usize, dy: usize, yBytes: usize, rows: usize): void {
  let a0 = v128.load(dw), b0 = v128.load(dw, 16);
  let a1 = v128.load(dw, 32), b1 = v128.load(dw, 48);
  let a2 = v128.load(dw, 64), b2 = v128.load(dw, 80);
  let a3 = v128.load(dw, 96), b3 = v128.load(dw, 112);
  for (let row: usize = 0; row < rows; row++) {
    const left = v128.load(dy);
    const right = v128.load(dy, 16);
    const v0 = v128.load32_splat(x);
    a0 = madd(v0, left, a0);
    b0 = madd(v0, right, b0);
    const v1 = v128.load32_splat(x, 4);
    a1 = madd(v1, left, a1);
    b1 = madd(v1, right, b1);
    const v2 = v128.load32_splat(x, 8);
    a2 = madd(v2, left, a2);
    b2 = madd(v2, right, b2);
    const v3 = v128.load32_splat(x, 12);
    a3 = madd(v3, left, a3);
    b3 = madd(v3, right, b3);
    x += xBytes;
    dy += yBytes;
  }
  v128.store(dw, a0);
  v128.store(dw, b0, 16);
  v128.store(dw, a1, 32);
  v128.store(dw, b1, 48);
  v128.store(dw, a2, 64);
  v128.store(dw, b2, 80);
  v128.store(dw, a3, 96);
  v128.store(dw, b3, 112);
}

@inline function rowEight(dw: usize, x: usize, xBytes: usize, dy: usize, yBytes: usize, rows: usize): void {
  let a = v128.load(dw), b = v128.load(dw, 16);
  for (let row: usize = 0; row < rows; row++) {
    const v = v128.load32_splat(x);
    a = madd(v, v128.load(dy), a);
    b = madd(v, v128.load(dy, 16), b);
    x += xBytes;
    dy += yBytes;
  }
  v128.store(dw, a);
  v128.store(dw, b, 16);
}

@inline function rowFour(dw: usize, x: usize, xBytes: usize, dy: usize, yBytes: usize, rows: usize): void {
  let a = v128.load(dw);
  for (let row: usize = 0; row < rows; row++) {
    a = madd(v128.load32_splat(x), v128.load(dy), a);
    x += xBytes;
    dy += yBytes;
  }
  v128.store(dw, a);
}

/** db[width] += the column sums of dy[rows, width]. */
export function biasGradient(db: usize, dy: usize, yStride: usize, rows: usize, width: usize): void {
  for (let column: usize = 0; column < width; column += 4) {
    let at = dy + (column << 2);
    let total = v128.load(db + (column << 2));
    for (let row: usize = 0; row < rows; row++) {
      total = f32x4.add(total, v128.load(at));
      at += yStride << 2;
    }
    v128.store(db + (column << 2), total);
  }
}

/**
 * Packs rows [from, from + count) of the panel matrix w [depth, width], transposed, as the panel matrix to [width,
 * count]; count is a multiple of 4.
 */
export function transpose(to: usize, w: usize, depth: usize, width: usize, from: usize, count: usize): void {
  for (let column: usize = 0; column < width; column += 4) {
    const panel = column & ~7;
    const panelWidth: usize = panel + 8 <= width ? 8 : 4;
    const source = w + ((panel * depth + from * panelWidth + column - panel) << 2);
    for (let k: usize = 0; k < count; k += 4) {
      const outPanel = k & ~7;
      const outWidth: usize = outPanel + 8 <= count ? 8 : 4;
      const target = to + ((outPanel * width + column * outWidth + k - outPanel) << 2);
      transposeFour(target, outWidth << 2, source + ((k * panelWidth) << 2), panelWidth << 2);
    }
  }
}

@inline function transposeFour(to: usize, toBytes: usize, from: usize, fromBytes: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + fromBytes);
  const c = v128.load(from + 2 * fromBytes);
  const d = v128.load(from + 3 * fromBytes);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(to + toBytes, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
  v128.store(to + 2 * toBytes, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
  v128.store(to + 3 * toBytes, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
}

/** Sum of squares of count floats (a multiple of 4), in float64 every 256 floats. */
export function squaredNorm(x: usize, count: usize): f64 {
  let total: f64 = 0;
  let block: v128 = splat(0.0);
  for (let i: usize = 0; i < count; i += 4) {
    const v = v128.load(x + (i << 2));
    block = madd(v, v, block);
    if ((i & 255) == 252) {
      total += sum(block) as f64;
      block = splat(0.0);
    }
  }
  return total + (sum(block) as f64);
}
