import { type NetworkShape, parameterLayout } from "../layout.ts";

/** A matrix in whole numbers of a byte: row by row, each column in units of its own. */
export type WholeMatrix = { numbers: Int8Array; units: Float32Array };

const largestWhole = 127;

/** Numbers [rows, columns] rounded to whole multiples of each column's unit, the largest of it over 127. */
export function toWhole(values: ArrayLike<number>, columns: number): WholeMatrix {
  const units = new Float32Array(columns);
  for (let i = 0; i < values.length; i++) units[i % columns] = Math.max(units[i % columns]!, Math.abs(values[i]!));
  for (let column = 0; column < columns; column++) units[column] = units[column]! / largestWhole || 1;
  const numbers = Int8Array.from({ length: values.length }, (_, i) => Math.round(values[i]! / units[i % columns]!));
  return { numbers, units };
}

/** The tensors of the branch's first layer, which lie below each other as one matrix. */
export function firstLayerKeys({ hidden, joinsHidden }: NetworkShape): string[] {
  return ["branch.0.weight", ...(joinsHidden && hidden > 0 ? ["branch.joined"] : [])];
}

/**
 * The weights with those of the branch's first layer rounded, in place, as whole numbers of a byte. They are two thirds
 * of all, and their inputs lie within -1 and 1: of a quantile that moves less than a hundredth of a residual scale.
 */
export function roundFirstLayer(shape: NetworkShape, weights: Float32Array): Float32Array {
  const layout = parameterLayout(shape);
  const tensors = firstLayerKeys(shape).flatMap((key) => layout.find(({ name }) => name === key) ?? []);
  const values = tensors.flatMap(({ offset, size }) => Array.from(weights.subarray(offset, offset + size)));
  const { numbers, units } = toWhole(values, shape.branchUnits);
  let at = 0;
  for (const { offset, size } of tensors) {
    for (let i = 0; i < size; i++, at++) weights[offset + i] = numbers[at]! * units[at % units.length]!;
  }
  return weights;
}
