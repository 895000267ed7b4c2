import { blockRows, createSums } from "./sums.ts";

/**
 * Rows of a regression: `features` [rows, stride] of which this target's `size` features begin at `offset`;
 * `wanted` [rows, leads], NaN where unknown.
 */
export type Regression = {
  features: Float32Array;
  stride: number;
  offset: number;
  size: number;
  wanted: Float64Array;
  leads: number;
};

/** X'X and X'y with a column of ones last; per lead where a lead misses rows, one shared Gram matrix else. */
export type NormalEquations = {
  size: number;
  leads: number;
  /** [size + 1, size + 1], lower triangle. */
  gram: Float64Array;
  /** Gram matrices of the leads that miss rows. */
  ownGram: Map<number, Float64Array>;
  /** [leads, size + 1] */
  product: Float64Array;
  /** Rows that each lead has. */
  counts: Float64Array;
};

/** Sums the normal equations over rows [from, to) for which some lead is known. */
export function normalEquations(data: Regression, from: number, to: number): NormalEquations {
  const { size, leads, stride, offset, features, wanted } = data;
  const counts = new Float64Array(leads);
  const missing: number[][] = Array.from({ length: leads }, () => []);
  const sums = createSums(size + 1, leads);
  const { columns, firstLead } = sums;
  for (let r = from; r < to; r++) {
    let known = 0;
    for (let h = 0; h < leads; h++) if (!Number.isNaN(wanted[r * leads + h]!)) known++;
    if (known === 0) continue;
    const at = sums.nextRow();
    for (let j = 0; j < size; j++) columns[j * blockRows + at] = features[r * stride + offset + j]!;
    columns[size * blockRows + at] = 1;
    for (let h = 0; h < leads; h++) {
      const value = wanted[r * leads + h]!;
      const isKnown = !Number.isNaN(value);
      columns[(firstLead + h) * blockRows + at] = isKnown ? value : 0;
      if (isKnown) counts[h]!++;
      else missing[h]!.push(r);
    }
  }
  const { gram, product } = sums.total();
  const ownGram = new Map<number, Float64Array>();
  for (let h = 0; h < leads; h++) if (missing[h]!.length > 0) ownGram.set(h, withoutRows(gram, data, missing[h]!));
  return { size, leads, gram, ownGram, product, counts };
}

function withoutRows(gram: Float64Array, { size, stride, offset, features }: Regression, rows: number[]): Float64Array {
  const width = size + 1;
  const own = gram.slice();
  const row = new Float64Array(width).fill(1);
  for (const r of rows) {
    for (let j = 0; j < size; j++) row[j] = features[r * stride + offset + j]!;
    for (let i = 0; i < width; i++) for (let j = 0; j <= i; j++) own[i * width + j]! -= row[i]! * row[j]!;
  }
  return own;
}

/**
 * Ridge weights (X'X + penalty N I) w = X'y per lead, the intercept last and not penalised, [leads, size + 1].
 * Closed form by Cholesky; a lead without rows gets zeros.
 */
export function solveRidge(equations: NormalEquations, penalty: number): Float64Array {
  const { size, leads } = equations;
  const width = size + 1;
  const weights = new Float64Array(leads * width);
  let shared: Float64Array | null = null;
  for (let h = 0; h < leads; h++) {
    const count = equations.counts[h]!;
    if (count === 0) continue;
    const own = equations.ownGram.get(h);
    let factor: Float64Array;
    if (own === undefined) {
      shared ??= cholesky(equations.gram, width, penalty * count);
      factor = shared;
    } else factor = cholesky(own, width, penalty * count);
    const solution = weights.subarray(h * width, (h + 1) * width);
    solution.set(equations.product.subarray(h * width, (h + 1) * width));
    substitute(factor, width, solution);
  }
  return weights;
}

/** Features that the leads before the index `lead` do without. */
export type FarFeatures = { lead: number; features: number[] };
const noFeatures: FarFeatures = { lead: 0, features: [] };

/**
 * Ridge weights of the leads `which`, each with its own penalty (of `penalties`, by lead), [which, size + 1]; as
 * `solveRidge`. Near leads have zeros for the far ones' features.
 */
export function solveLeads(
  equations: NormalEquations,
  penalties: ArrayLike<number>,
  which: number[],
  far: FarFeatures = noFeatures,
): Float64Array {
  const width = equations.size + 1;
  const weights = new Float64Array(which.length * width);
  const shared = new Map<string, Float64Array>();
  for (const [i, h] of which.entries()) {
    const count = equations.counts[h]!;
    if (count === 0) continue;
    const penalty = penalties[h]! * count;
    const unused = h < far.lead ? far.features : [];
    const own = equations.ownGram.get(h);
    const key = `${penalty} ${unused.length}`;
    const factor =
      (own ? undefined : shared.get(key)) ?? cholesky(without(own ?? equations.gram, width, unused), width, penalty);
    if (!own) shared.set(key, factor);
    const solution = weights.subarray(i * width, (i + 1) * width);
    solution.set(equations.product.subarray(h * width, (h + 1) * width));
    for (const feature of unused) solution[feature] = 0;
    substitute(factor, width, solution);
  }
  return weights;
}

/** The equations of the rows of both, or with `sign` -1 of those of `a` without those of `b`. */
export function addEquations(a: NormalEquations, b: NormalEquations, sign: 1 | -1 = 1): NormalEquations {
  const add = (x: Float64Array, y: Float64Array) => {
    const sum = new Float64Array(x.length);
    for (let i = 0; i < x.length; i++) sum[i] = x[i]! + sign * y[i]!;
    return sum;
  };
  const ownLeads = new Set([...a.ownGram.keys(), ...b.ownGram.keys()]);
  return {
    size: a.size,
    leads: a.leads,
    gram: add(a.gram, b.gram),
    ownGram: new Map([...ownLeads].map((h) => [h, add(a.ownGram.get(h) ?? a.gram, b.ownGram.get(h) ?? b.gram)])),
    product: add(a.product, b.product),
    counts: add(a.counts, b.counts),
  };
}

/** A symmetric matrix, of which the lower triangle is read, times a vector. */
export function timesGram(gram: Float64Array, vector: Float64Array): Float64Array {
  const width = vector.length;
  const out = new Float64Array(width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < i; j++) {
      out[i]! += gram[i * width + j]! * vector[j]!;
      out[j]! += gram[i * width + j]! * vector[i]!;
    }
    out[i]! += gram[i * width + i]! * vector[i]!;
  }
  return out;
}

/** The equations' matrix with nothing to be said by some features, whose weights come out as 0 where product is 0. */
function without(gram: Float64Array, width: number, features: number[]): Float64Array {
  if (features.length === 0) return gram;
  const kept = gram.slice();
  for (const feature of features) {
    for (let i = 0; i < width; i++) {
      kept[feature * width + i] = 0;
      kept[i * width + feature] = 0;
    }
    kept[feature * width + feature] = 1;
  }
  return kept;
}

/** Lower factor L of gram + penalty I (the last diagonal unpenalised but for a whiff that keeps it positive). */
function cholesky(gram: Float64Array, width: number, penalty: number): Float64Array {
  const factor = gram.slice();
  for (let i = 0; i < width; i++) factor[i * width + i]! += i < width - 1 ? penalty : 1e-9;
  for (let j = 0; j < width; j++) {
    const row = j * width;
    let square = factor[row + j]!;
    for (let k = 0; k < j; k++) square -= factor[row + k]! * factor[row + k]!;
    const root = Math.sqrt(Math.max(square, 1e-12));
    factor[row + j] = root;
    // Four rows at a time: their sums do not wait for each other. Beyond the last one it stands in for the missing.
    for (let i = j + 1; i < width; i += 4) {
      const first = i * width;
      const second = Math.min(i + 1, width - 1) * width;
      const third = Math.min(i + 2, width - 1) * width;
      const fourth = Math.min(i + 3, width - 1) * width;
      let a = factor[first + j]!;
      let b = factor[second + j]!;
      let c = factor[third + j]!;
      let d = factor[fourth + j]!;
      for (let k = 0; k < j; k++) {
        const above = factor[row + k]!;
        a -= factor[first + k]! * above;
        b -= factor[second + k]! * above;
        c -= factor[third + k]! * above;
        d -= factor[fourth + k]! * above;
      }
      factor[first + j] = a / root;
      factor[second + j] = b / root;
      factor[third + j] = c / root;
      factor[fourth + j] = d / root;
    }
  }
  return factor;
}

/** Solves L L' x = b in place. */
function substitute(factor: Float64Array, width: number, vector: Float64Array): void {
  for (let i = 0; i < width; i++) {
    let sum = vector[i]!;
    for (let k = 0; k < i; k++) sum -= factor[i * width + k]! * vector[k]!;
    vector[i] = sum / factor[i * width + i]!;
  }
  for (let i = width - 1; i >= 0; i--) {
    let sum = vector[i]!;
    for (let k = i + 1; k < width; k++) sum -= factor[k * width + i]! * vector[k]!;
    vector[i] = sum / factor[i * width + i]!;
  }
}

/** Predictions for rows [from, to), [to - from, leads], with weights as `solveRidge` gives them. */
export function predictRidge(data: Regression, weights: Float64Array, from: number, to: number): Float64Array {
  const { size, leads, stride, offset, features } = data;
  const width = size + 1;
  const out = new Float64Array((to - from) * leads);
  // Two rows and four leads at a time: their sums do not wait for each other, and each number read serves several.
  for (let r = from; r < to; r += 2) {
    const start = r * stride + offset;
    // Beyond the last row, and the last lead, the first stands in: reading past the end is slow.
    const next = r + 1 < to ? start + stride : start;
    for (let h = 0; h < leads; h += 4) {
      const first = h * width;
      const second = h + 1 < leads ? first + width : first;
      const third = h + 2 < leads ? second + width : first;
      const fourth = h + 3 < leads ? third + width : first;
      let a = weights[first + size]!;
      let b = weights[second + size]!;
      let c = weights[third + size]!;
      let d = weights[fourth + size]!;
      let e = a;
      let f = b;
      let g = c;
      let i = d;
      for (let j = 0; j < size; j++) {
        const value = features[start + j]!;
        const other = features[next + j]!;
        const p = weights[first + j]!;
        a += p * value;
        e += p * other;
        const q = weights[second + j]!;
        b += q * value;
        f += q * other;
        const s = weights[third + j]!;
        c += s * value;
        g += s * other;
        const t = weights[fourth + j]!;
        d += t * value;
        i += t * other;
      }
      const at = (r - from) * leads + h;
      put(out, at, leads - h, a, b, c, d);
      if (r + 1 < to) put(out, at + leads, leads - h, e, f, g, i);
    }
  }
  return out;
}

/** The first `most` of four numbers. */
function put(out: Float64Array, at: number, most: number, a: number, b: number, c: number, d: number): void {
  out[at] = a;
  if (most > 1) out[at + 1] = b;
  if (most > 2) out[at + 2] = c;
  if (most > 3) out[at + 3] = d;
}
