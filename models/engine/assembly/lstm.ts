// LSTM (Hochreiter & Schmidhuber 1997) over a batch. Hidden units come in panels of eight; column panel * 32 + gate * 8
// + unit of the weight matrix [depth, 4 * hidden], gates in the order i, o, f, g; the input row is [x, 1, h, zeros], so
// that bias and recurrence are part of one product; depth is channels + 1 + hidden, rounded up to a multiple of 4 (the
// weights of the zeros stay zero). rows is a multiple of 4, hidden of 8. inputs [steps + 1][rows][depth]; gates,
// activated, [steps][hidden / 8][rows][32]; cells and squashed (tanh of the cell) as [steps + 1][hidden / 8][rows][8],
// cells of step t being those before it, and [steps][hidden / 8][rows][8].
import { multiply, multiplyGradient } from "./dense";
import { madd, sigmoid, sigmoidPair, splat, tanh, tanhPair } from "./vector";
import { wide } from "./wide";

@inline function depthOf(channels: usize, hidden: usize): usize {
  return (channels + 1 + hidden + 3) & ~3;
}

/**
 * Lays sequences [rows, steps, channels] (row stride in floats) into the input rows, sets the ones and zeros, and
 * zeroes h and the cells of step 0.
 */
export function lstmInput(inputs: usize, cells: usize, sequence: usize, stride: usize, rows: usize, steps: usize, channels: usize, hidden: usize): void {
  const depth = depthOf(channels, hidden);
  for (let step: usize = 0; step < steps; step++) {
    for (let row: usize = 0; row < rows; row++) {
      const to = inputs + (((step * rows + row) * depth) << 2);
      const from = sequence + ((row * stride + step * channels) << 2);
      let at: usize = 0;
      for (; at + 4 <= channels; at += 4) v128.store(to + (at << 2), v128.load(from + (at << 2)));
      for (; at < channels; at++) f32.store(to + (at << 2), f32.load(from + (at << 2)));
      f32.store(to + (channels << 2), 1.0);
      for (at = channels + 1 + hidden; at < depth; at++) f32.store(to + (at << 2), 0.0);
    }
  }
  for (let row: usize = 0; row < rows; row++) memory.fill(inputs + ((row * depth + channels + 1) << 2), 0, hidden << 2);
  memory.fill(cells, 0, (rows * hidden) << 2);
}

/** Runs the sequence; h after step t lies in the input rows of step t + 1. */
export function lstmForward(w: usize, inputs: usize, gates: usize, cells: usize, squashed: usize, rows: usize, steps: usize, channels: usize, hidden: usize): void {
  const depth = depthOf(channels, hidden);
  const rowBytes = depth << 2;
  const stepBytes = rows * rowBytes;
  const panelBytes = depth << 7;
  const used = (channels + 1 + hidden) << 2;
  const cellBytes = (rows * hidden) << 2;
  for (let step: usize = 0; step < steps; step++) {
    const x = inputs + step * stepBytes;
    let h = x + stepBytes + ((channels + 1) << 2);
    for (let panel: usize = 0; panel < hidden >> 3; panel++) {
      const weights = w + panel * panelBytes;
      for (let row: usize = 0; row < rows; row += 2) {
        const from = x + row * rowBytes;
        const to = h + row * rowBytes;
        if (wide) {
          widePanelForward(weights, from, rowBytes, used, gates, cells, cellBytes, squashed, to);
        } else {
          halfPanelForward(weights, from, rowBytes, used, gates, cells, cellBytes, squashed, to);
          halfPanelForward(weights + 16, from, rowBytes, used, gates + 16, cells + 16, cellBytes, squashed + 16, to + 16);
        }
        gates += 256;
        cells += 64;
        squashed += 64;
      }
      h += 32;
    }
  }
}

// Two rows of four units.
@inline function halfPanelForward(w: usize, x: usize, rowBytes: usize, used: usize, gates: usize, cells: usize, cellBytes: usize, squashed: usize, h: usize): void {
  let i0: v128 = splat(0.0), o0: v128 = splat(0.0), f0: v128 = splat(0.0), g0: v128 = splat(0.0);
  let i1: v128 = splat(0.0), o1: v128 = splat(0.0), f1: v128 = splat(0.0), g1: v128 = splat(0.0);
  const gateBytes = rowBytes << 3;
  let wi = w;
  let wo = wi + gateBytes;
  let wf = wo + gateBytes;
  let wg = wf + gateBytes;
  let x0 = x;
  let x1 = x + rowBytes;
  const end = x + used;
  while (x0 < end) {
    const v0 = v128.load32_splat(x0);
    const v1 = v128.load32_splat(x1);
    const i = v128.load(wi, 0);
    i0 = madd(v0, i, i0);
    i1 = madd(v1, i, i1);
    const o = v128.load(wo, 0);
    o0 = madd(v0, o, o0);
    o1 = madd(v1, o, o1);
    const f = v128.load(wf, 0);
    f0 = madd(v0, f, f0);
    f1 = madd(v1, f, f1);
    const g = v128.load(wg, 0);
    g0 = madd(v0, g, g0);
    g1 = madd(v1, g, g1);
    wi += 32;
    wo += 32;
    wf += 32;
    wg += 32;
    x0 += 4;
    x1 += 4;
  }
  cellForward(i0, o0, f0, g0, gates, cells, cellBytes, squashed, h);
  cellForward(i1, o1, f1, g1, gates + 128, cells + 32, cellBytes, squashed + 32, h + rowBytes);
}

// Two rows of eight units, every vector with its neighbour.
@inline function widePanelForward(w: usize, x: usize, rowBytes: usize, used: usize, gates: usize, cells: usize, cellBytes: usize, squashed: usize, h: usize): void {
  let ia0: v128 = splat(0.0), oa0: v128 = splat(0.0), fa0: v128 = splat(0.0), ga0: v128 = splat(0.0);
  let ib0: v128 = splat(0.0), ob0: v128 = splat(0.0), fb0: v128 = splat(0.0), gb0: v128 = splat(0.0);
  let ia1: v128 = splat(0.0), oa1: v128 = splat(0.0), fa1: v128 = splat(0.0), ga1: v128 = splat(0.0);
  let ib1: v128 = splat(0.0), ob1: v128 = splat(0.0), fb1: v128 = splat(0.0), gb1: v128 = splat(0.0);
  const gateBytes = rowBytes << 3;
  let wi = w;
  let wo = wi + gateBytes;
  let wf = wo + gateBytes;
  let wg = wf + gateBytes;
  let x0 = x;
  let x1 = x + rowBytes;
  const end = x + used;
  while (x0 < end) {
    const v0 = v128.load32_splat(x0);
    const v1 = v128.load32_splat(x1);
    const ia = v128.load(wi, 0);
    const ib = v128.load(wi, 16);
    ia0 = madd(v0, ia, ia0);
    ib0 = madd(v0, ib, ib0);
    ia1 = madd(v1, ia, ia1);
    ib1 = madd(v1, ib, ib1);
    const oa = v128.load(wo, 0);
    const ob = v128.load(wo, 16);
    oa0 = madd(v0, oa, oa0);
    ob0 = madd(v0, ob, ob0);
    oa1 = madd(v1, oa, oa1);
    ob1 = madd(v1, ob, ob1);
    const fa = v128.load(wf, 0);
    const fb = v128.load(wf, 16);
    fa0 = madd(v0, fa, fa0);
    fb0 = madd(v0, fb, fb0);
    fa1 = madd(v1, fa, fa1);
    fb1 = madd(v1, fb, fb1);
    const ga = v128.load(wg, 0);
    const gb = v128.load(wg, 16);
    ga0 = madd(v0, ga, ga0);
    gb0 = madd(v0, gb, gb0);
    ga1 = madd(v1, ga, ga1);
    gb1 = madd(v1, gb, gb1);
    wi += 32;
    wo += 32;
    wf += 32;
    wg += 32;
    x0 += 4;
    x1 += 4;
  }
  wideCellForward(ia0, ib0, oa0, ob0, fa0, fb0, ga0, gb0, gates, cells, cellBytes, squashed, h);
  wideCellForward(ia1, ib1, oa1, ob1, fa1, fb1, ga1, gb1, gates + 128, cells + 32, cellBytes, squashed + 32, h + rowBytes);
}

@inline function wideCellForward(
  ia: v128, ib: v128, oa: v128, ob: v128, fa: v128, fb: v128, ga: v128, gb: v128, gates: usize, cells: usize, cellBytes: usize, squashed: usize, h: usize,
): void {
  sigmoidPair(gates, ia, ib);
  sigmoidPair(gates + 32, oa, ob);
  sigmoidPair(gates + 64, fa, fb);
  tanhPair(gates + 96, ga, gb);
  const forgetA = f32x4.mul(v128.load(gates, 64), v128.load(cells));
  const forgetB = f32x4.mul(v128.load(gates, 80), v128.load(cells, 16));
  const cellA = madd(v128.load(gates), v128.load(gates, 96), forgetA);
  const cellB = madd(v128.load(gates, 16), v128.load(gates, 112), forgetB);
  const to = cells + cellBytes;
  v128.store(to, cellA);
  v128.store(to, cellB, 16);
  tanhPair(squashed, cellA, cellB);
  const hiddenA = f32x4.mul(v128.load(gates, 32), v128.load(squashed));
  const hiddenB = f32x4.mul(v128.load(gates, 48), v128.load(squashed, 16));
  v128.store(h, hiddenA);
  v128.store(h, hiddenB, 16);
}

@inline function cellForward(i: v128, o: v128, f: v128, g: v128, gates: usize, cells: usize, cellBytes: usize, squashed: usize, h: usize): void {
  const input = sigmoid(i);
  const output = sigmoid(o);
  const forget = sigmoid(f);
  const candidate = tanh(g);
  const cell = madd(input, candidate, f32x4.mul(forget, v128.load(cells)));
  const squash = tanh(cell);
  v128.store(gates, input);
  v128.store(gates, output, 32);
  v128.store(gates, forget, 64);
  v128.store(gates, candidate, 96);
  v128.store(cells + cellBytes, cell);
  v128.store(squashed, squash);
  v128.store(h, f32x4.mul(output, squash));
}

/**
 * Back through the sequence from dh [rows, hidden], the gradient of the last hidden state (overwritten): dw += the
 * weights' gradient. `recurrent` is the transposed recurrent part [4 * hidden, hidden]; `dCells` [hidden / 8][rows][8]
 * and `dGates` [rows, 4 * hidden + 16] are scratch.
 */
export function lstmBackward(
  dw: usize, recurrent: usize, inputs: usize, gates: usize, cells: usize, squashed: usize, dh: usize, dCells: usize, dGates: usize,
  rows: usize, steps: usize, channels: usize, hidden: usize,
): void {
  const depth = depthOf(channels, hidden);
  const cellBytes = (rows * hidden) << 2;
  const stride = 4 * hidden + 16;
  memory.fill(dCells, 0, cellBytes);
  for (let step = steps; step > 0; ) {
    step--;
    let gate = gates + step * (cellBytes << 2);
    let cell = cells + step * cellBytes;
    let squash = squashed + step * cellBytes;
    let dCell = dCells;
    for (let panel: usize = 0; panel < hidden >> 3; panel++) {
      let to = dGates + (panel << 7);
      let from = dh + (panel << 5);
      for (let row: usize = 0; row < rows; row++) {
        cellBackward(to, gate, cell, squash, from, dCell);
        to += stride << 2;
        from += hidden << 2;
        gate += 128;
        cell += 32;
        squash += 32;
        dCell += 32;
      }
    }
    multiplyGradient(dw, inputs + ((step * rows * depth) << 2), depth, dGates, stride, rows, depth, 4 * hidden);
    if (step) multiply(dh, hidden, dGates, stride, recurrent, 0, rows, 4 * hidden, hidden, false);
  }
}

// One row of eight units, every vector with its neighbour.
@inline function cellBackward(to: usize, gates: usize, cell: usize, squashed: usize, dh: usize, dCell: usize): void {
  const one = splat(1.0);
  const inputa = v128.load(gates, 0);
  const inputb = v128.load(gates, 16);
  const outputa = v128.load(gates, 32);
  const outputb = v128.load(gates, 48);
  const forgeta = v128.load(gates, 64);
  const forgetb = v128.load(gates, 80);
  const candidatea = v128.load(gates, 96);
  const candidateb = v128.load(gates, 112);
  const squasha = v128.load(squashed, 0);
  const squashb = v128.load(squashed, 16);
  const dOuta = f32x4.mul(v128.load(dh, 0), outputa);
  const dOutb = f32x4.mul(v128.load(dh, 16), outputb);
  const da = f32x4.add(v128.load(dCell, 0), f32x4.mul(dOuta, f32x4.sub(one, f32x4.mul(squasha, squasha))));
  const db = f32x4.add(v128.load(dCell, 16), f32x4.mul(dOutb, f32x4.sub(one, f32x4.mul(squashb, squashb))));
  const beforea = v128.load(cell, 0);
  const beforeb = v128.load(cell, 16);
  v128.store(to, f32x4.mul(f32x4.mul(da, candidatea), f32x4.mul(inputa, f32x4.sub(one, inputa))), 0);
  v128.store(to, f32x4.mul(f32x4.mul(db, candidateb), f32x4.mul(inputb, f32x4.sub(one, inputb))), 16);
  v128.store(to, f32x4.mul(f32x4.mul(dOuta, squasha), f32x4.sub(one, outputa)), 32);
  v128.store(to, f32x4.mul(f32x4.mul(dOutb, squashb), f32x4.sub(one, outputb)), 48);
  v128.store(to, f32x4.mul(f32x4.mul(da, beforea), f32x4.mul(forgeta, f32x4.sub(one, forgeta))), 64);
  v128.store(to, f32x4.mul(f32x4.mul(db, beforeb), f32x4.mul(forgetb, f32x4.sub(one, forgetb))), 80);
  v128.store(to, f32x4.mul(f32x4.mul(da, inputa), f32x4.sub(one, f32x4.mul(candidatea, candidatea))), 96);
  v128.store(to, f32x4.mul(f32x4.mul(db, inputb), f32x4.sub(one, f32x4.mul(candidateb, candidateb))), 112);
  v128.store(dCell, f32x4.mul(da, forgeta), 0);
  v128.store(dCell, f32x4.mul(db, forgetb), 16);
}
