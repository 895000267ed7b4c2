// LSTM (Hochreiter & Schmidhuber 1997) over a batch. Hidden units come in panels of four; column panel * 16 + gate * 4 + unit
// of the weight matrix [depth, 4 * hidden], gates in the order i, o, f, g; depth = channels + 1 + hidden: the input row is
// [x, 1, h], so that bias and recurrence are part of one product. rows is a multiple of 4, hidden of 4.
// inputs [steps + 1][rows][depth]; gates, activated, [steps][hidden / 4][rows][16]; cells and squashed (tanh of the cell) as
// [steps + 1][hidden / 4][rows][4], cells of step t being those before it, and [steps][hidden / 4][rows][4].
import { multiply, multiplyGradient } from "./dense";
import { madd, sigmoid, splat, tanh } from "./vector";

/** Lays sequences [rows, steps, channels] (row stride in floats) into the input rows, sets the ones, and zeroes h and the cells of step 0. */
export function lstmInput(inputs: usize, cells: usize, sequence: usize, stride: usize, rows: usize, steps: usize, channels: usize, hidden: usize): void {
  const depth = channels + 1 + hidden;
  for (let step: usize = 0; step < steps; step++) {
    for (let row: usize = 0; row < rows; row++) {
      const to = inputs + (((step * rows + row) * depth) << 2);
      const from = sequence + ((row * stride + step * channels) << 2);
      for (let channel: usize = 0; channel < channels; channel++) f32.store(to + (channel << 2), f32.load(from + (channel << 2)));
      f32.store(to + (channels << 2), 1.0);
    }
  }
  for (let row: usize = 0; row < rows; row++) memory.fill(inputs + ((row * depth + channels + 1) << 2), 0, hidden << 2);
  memory.fill(cells, 0, (rows * hidden) << 2);
}

/** Runs the sequence; h after step t lies in the input rows of step t + 1. */
export function lstmForward(w: usize, inputs: usize, gates: usize, cells: usize, squashed: usize, rows: usize, steps: usize, channels: usize, hidden: usize): void {
  const depth = channels + 1 + hidden;
  const rowBytes = depth << 2;
  const stepBytes = rows * rowBytes;
  const panelBytes = depth << 6;
  const cellBytes = (rows * hidden) << 2;
  for (let step: usize = 0; step < steps; step++) {
    const x = inputs + step * stepBytes;
    let h = x + stepBytes + ((channels + 1) << 2);
    for (let panel: usize = 0; panel < hidden >> 2; panel++) {
      const weights = w + panel * panelBytes;
      for (let row: usize = 0; row < rows; row += 2) {
        panelForward(weights, x + row * rowBytes, rowBytes, gates, cells, cellBytes, squashed, h + row * rowBytes);
        gates += 128;
        cells += 32;
        squashed += 32;
      }
      h += 16;
    }
  }
}

@inline function panelForward(w: usize, x: usize, rowBytes: usize, gates: usize, cells: usize, cellBytes: usize, squashed: usize, h: usize): void {
  let i0: v128 = splat(0.0), o0: v128 = splat(0.0), f0: v128 = splat(0.0), g0: v128 = splat(0.0);
  let i1: v128 = splat(0.0), o1: v128 = splat(0.0), f1: v128 = splat(0.0), g1: v128 = splat(0.0);
  let wIo = w;
  let wFg = w + (rowBytes << 3);
  let x0 = x;
  let x1 = x + rowBytes;
  const end = x1;
  while (x0 < end) {
    const v0 = v128.load32_splat(x0);
    const v1 = v128.load32_splat(x1);
    const wi = v128.load(wIo);
    i0 = madd(v0, wi, i0);
    i1 = madd(v1, wi, i1);
    const wo = v128.load(wIo, 16);
    o0 = madd(v0, wo, o0);
    o1 = madd(v1, wo, o1);
    const wf = v128.load(wFg);
    f0 = madd(v0, wf, f0);
    f1 = madd(v1, wf, f1);
    const wg = v128.load(wFg, 16);
    g0 = madd(v0, wg, g0);
    g1 = madd(v1, wg, g1);
    wIo += 32;
    wFg += 32;
    x0 += 4;
    x1 += 4;
  }
  cellForward(i0, o0, f0, g0, gates, cells, cellBytes, squashed, h);
  cellForward(i1, o1, f1, g1, gates + 64, cells + 16, cellBytes, squashed + 16, h + rowBytes);
}

@inline function cellForward(i: v128, o: v128, f: v128, g: v128, gates: usize, cells: usize, cellBytes: usize, squashed: usize, h: usize): void {
  const input = sigmoid(i);
  const output = sigmoid(o);
  const forget = sigmoid(f);
  const candidate = tanh(g);
  const cell = madd(input, candidate, f32x4.mul(forget, v128.load(cells)));
  const squash = tanh(cell);
  v128.store(gates, input);
  v128.store(gates, output, 16);
  v128.store(gates, forget, 32);
  v128.store(gates, candidate, 48);
  v128.store(cells + cellBytes, cell);
  v128.store(squashed, squash);
  v128.store(h, f32x4.mul(output, squash));
}

/**
 * Back through the sequence from dh [rows, hidden], the gradient of the last hidden state (overwritten): dw += the weights'
 * gradient. `recurrent` is the transposed recurrent part [4 * hidden, hidden]; `dCells` [hidden / 4][rows][4] and
 * `dGates` [rows, 4 * hidden + 16] are scratch.
 */
export function lstmBackward(
  dw: usize, recurrent: usize, inputs: usize, gates: usize, cells: usize, squashed: usize, dh: usize, dCells: usize, dGates: usize,
  rows: usize, steps: usize, channels: usize, hidden: usize,
): void {
  const depth = channels + 1 + hidden;
  const cellBytes = (rows * hidden) << 2;
  const stride = 4 * hidden + 16;
  memory.fill(dCells, 0, cellBytes);
  for (let step = steps; step > 0; ) {
    step--;
    let gate = gates + step * (cellBytes << 2);
    let cell = cells + step * cellBytes;
    let squash = squashed + step * cellBytes;
    let dCell = dCells;
    for (let panel: usize = 0; panel < hidden >> 2; panel++) {
      let to = dGates + (panel << 6);
      let from = dh + (panel << 4);
      for (let row: usize = 0; row < rows; row++) {
        cellBackward(to, gate, cell, squash, from, dCell);
        to += stride << 2;
        from += hidden << 2;
        gate += 64;
        cell += 16;
        squash += 16;
        dCell += 16;
      }
    }
    multiplyGradient(dw, inputs + ((step * rows * depth) << 2), depth, dGates, stride, rows, depth, 4 * hidden);
    if (step) multiply(dh, hidden, dGates, stride, recurrent, 0, rows, 4 * hidden, hidden, false);
  }
}

@inline function cellBackward(to: usize, gates: usize, cell: usize, squashed: usize, dh: usize, dCell: usize): void {
  const one = splat(1.0);
  const input = v128.load(gates);
  const output = v128.load(gates, 16);
  const forget = v128.load(gates, 32);
  const candidate = v128.load(gates, 48);
  const squash = v128.load(squashed);
  const dHidden = v128.load(dh);
  const dOut = f32x4.mul(dHidden, output);
  const d = f32x4.add(v128.load(dCell), f32x4.mul(dOut, f32x4.sub(one, f32x4.mul(squash, squash))));
  v128.store(to, f32x4.mul(f32x4.mul(d, candidate), f32x4.mul(input, f32x4.sub(one, input))));
  v128.store(to, f32x4.mul(f32x4.mul(dOut, squash), f32x4.sub(one, output)), 16);
  v128.store(to, f32x4.mul(f32x4.mul(d, v128.load(cell)), f32x4.mul(forget, f32x4.sub(one, forget))), 32);
  v128.store(to, f32x4.mul(f32x4.mul(d, input), f32x4.sub(one, f32x4.mul(candidate, candidate))), 48);
  v128.store(dCell, f32x4.mul(d, forget));
}
