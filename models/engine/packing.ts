import type { NetworkShape } from "../layout.ts";
import { parameterLayout } from "../layout.ts";
import { createRandom } from "../random.ts";
import type { Part } from "./part.ts";

/**
 * For each weight in the order of `parameterLayout`, its place among the packed parameters of the parts, which lie one
 * behind the other; and starting weights from a seed (drawn in that order, so that padding does not matter).
 */
export function createPacking(shape: NetworkShape, parts: Part[]) {
  let offset = 0;
  const byName = new Map(
    parts.flatMap((part) => {
      const at = offset;
      offset += part.floats;
      return part.tensors.map((tensor) => [tensor.name, { tensor, at }] as const);
    }),
  );
  const layout = parameterLayout(shape);
  const places = new Int32Array(layout.reduce((total, { size }) => total + size, 0));
  for (const { name, offset: start, size } of layout) {
    const found = byName.get(name);
    if (!found) throw new Error(`no part of the network holds ${name}`);
    for (let i = 0; i < size; i++) places[start + i] = found.at + found.tensor.place(i);
  }

  function startingWeights(seed: number): Float32Array {
    const next = createRandom(seed);
    const random = () => next() / 2 ** 31 - 1;
    const weights = new Float32Array(places.length);
    for (const { name, offset: start, size } of layout) {
      const tensor = byName.get(name)?.tensor;
      for (let i = 0; i < size; i++) weights[start + i] = tensor?.start(random, i) ?? 0;
    }
    return weights;
  }
  return { places, startingWeights };
}
