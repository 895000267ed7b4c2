import { refused } from "./limits.ts";
import type { Effect, NodeView } from "./node.ts";
import { sizeOf, type Value } from "./value.ts";

/** The dims of two values that are stretched to each other. Throws artefactRejected where they do not fit. */
export function broadcast(a: number[], b: number[], what: string): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [left, right] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw refused(`${what} joins [${a}] and [${b}]`);
  });
}

/** A product of matrices, in batches by their leading dims. Throws artefactRejected where they do not fit. */
export function matrixProduct({ type }: Value, left: number[], right: number[], what: string): Effect {
  const a = left.length === 1 ? [1, ...left] : left;
  const b = right.length === 1 ? [...right, 1] : right;
  const inner = a.at(-1);
  if (inner === undefined || inner !== b.at(-2)) throw refused(`${what} multiplies [${left}] by [${right}]`);
  const lead = broadcast(a.slice(0, -2), b.slice(0, -2), what);
  const rows = left.length === 1 ? [] : [a.at(-2)!];
  const columns = right.length === 1 ? [] : [b.at(-1)!];
  const dims = [...lead, ...rows, ...columns];
  return { values: [{ dims, type, known: null }], operations: sizeOf(dims) * inner };
}

/** The dims after a reduction over `axes`, all where there are none. */
export function reduced(dims: number[], axes: number[], keepsDims: boolean, what: string): number[] {
  const gone = new Set(axes.map((axis) => (axis < 0 ? axis + dims.length : axis)));
  for (const axis of gone) if (!(axis in dims)) throw refused(`${what} has axis ${axis} of ${dims.length}`);
  const isGone = (i: number) => axes.length === 0 || gone.has(i);
  return keepsDims ? dims.map((dim, i) => (isGone(i) ? 1 : dim)) : dims.filter((_, i) => !isGone(i));
}

/** A part of a value, by bounds that are known. */
export function sliced(node: NodeView): Effect {
  const value = node.input(0);
  const [starts, ends] = [node.known(1), node.known(2)];
  const axes = node.inputs[3] ? node.known(3) : starts.map((_, i) => i);
  const steps = node.inputs[4] ? node.known(4) : starts.map(() => 1);
  if (new Set([starts, ends, axes, steps].map((list) => list.length)).size !== 1) {
    throw refused(`${node.what} has bounds of different lengths`);
  }
  const dims = [...value.dims];
  let known = value.known;
  for (const [i, given] of axes.entries()) {
    const axis = given < 0 ? given + dims.length : given;
    const length = value.dims[axis];
    const step = steps[i]!;
    if (length === undefined || step === 0) throw refused(`${node.what} cuts axis ${given} by steps of ${step}`);
    const [lowest, highest] = step > 0 ? [0, length] : [-1, length - 1];
    const bound = (at: number, least: number) => Math.min(highest, Math.max(least, at < 0 ? at + length : at));
    const [start, end] = [bound(starts[i]!, 0), bound(ends[i]!, lowest)];
    const count = Math.max(0, Math.ceil((end - start) / step));
    dims[axis] = count;
    const numbers = known;
    known = numbers && Array.from({ length: count }, (_, j) => numbers[start + j * step] ?? Number.NaN);
  }
  return { values: [{ dims, type: value.type, known: dims.length <= 1 ? known : null }] };
}
