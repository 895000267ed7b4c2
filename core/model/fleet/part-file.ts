import { AppError } from "../../errors.ts";
import type { FleetGraph } from "./manifest.ts";
import { decodeTensors, encodeTensors } from "./tensor-file.ts";

/**
 * A sensor's part as it is stored: its numbers by name. Those that the graph takes are always there: `ridge`
 * [targets, linear + 1, leads], the intercept last; `skip` [targets, skip's linear, skip's leads]; `residualScale`
 * [leads, targets]; `widths` [leads, targets, quantiles - 1]; `bands` [leads, targets, quantiles]. The others are
 * the encoder's, vectors.
 */
export type PartFile = { sensorId: string; fleetId: string; tensors: Record<string, Float32Array> };

/**
 * Tensors that may lie as float16, and what their rounding is small beside: the `largest` of them, for weights that are
 * summed; or each one's `own` size, for scales. What would lose more than a thousandth of it stays float32.
 */
export const halvedTensors: ReadonlyMap<string, "largest" | "own"> = new Map([
  ...(["ridge", "skip", "widths", "bands", "linearCenter"] as const).map((name) => [name, "largest"] as const),
  ...(["residualScale", "linearScale"] as const).map((name) => [name, "own"] as const),
]);

/** The tensors that the graph takes of a part, with their dims. */
export function partDims({ targets, linear, leads, quantiles, skip = { linear, leads } }: FleetGraph) {
  return {
    ridge: [targets, linear + 1, leads],
    skip: [targets, skip.linear, skip.leads],
    residualScale: [leads, targets],
    widths: [leads, targets, quantiles.length - 1],
    bands: [leads, targets, quantiles.length],
  };
}

/** The encoder's own tensors, with how many numbers each has at least and at most. */
function encoderLengths({ targets, linear, features }: FleetGraph): Record<string, [number, number]> {
  const exactly = (length: number): [number, number] => [length, length];
  const [ofLinear, ofTargets] = [exactly(targets * linear), exactly(targets)];
  const some: [number, number] = [0, features];
  return {
    ...{ linearCenter: ofLinear, linearScale: ofLinear, branchCenter: some, branchScale: some },
    ...{ mean: ofTargets, deviation: ofTargets, change: ofTargets },
    ...{ errorScale: some, pathScale: some, constants: some },
  };
}

/** Divided by, or what an error is measured in. */
const positiveTensors = new Set(["residualScale", "linearScale", "branchScale"]);
/** Beyond every measurement and every weight learnt from some; what is larger was put in to do harm. */
const mostNumber = 1e12;

/** A part's bytes; without `halved` all tensors lie as float32. */
export function encodePart(
  part: PartFile,
  graph: FleetGraph,
  halved: ReadonlyMap<string, "largest" | "own">,
): Uint8Array {
  const known: Record<string, number[]> = partDims(graph);
  const tensors = Object.entries(part.tensors).map(([name, values]) => {
    const isHalf = keepsDigits(values, halved.get(name));
    return { name, type: isHalf ? ("F16" as const) : ("F32" as const), dims: known[name] ?? [values.length], values };
  });
  // float32 first, so that it stays aligned.
  tensors.sort((a, b) => Number(a.type === "F16") - Number(b.type === "F16"));
  return encodeTensors(tensors, { sensorId: part.sensorId, fleetId: part.fleetId });
}

/** A part from its bytes. Throws artefactRejected where it is not a part of this sensor that fits the fleet's graph. */
export function decodePart(sensorId: string, bytes: Uint8Array, graph: FleetGraph): PartFile {
  const what = `the part of sensor ${sensorId}`;
  const { metadata, tensors } = decodeTensors(what, bytes);
  if (metadata.sensorId !== sensorId) throw rejected(`${what} is that of ${metadata.sensorId}`);
  for (const [name, dims] of Object.entries(partDims(graph))) {
    const found = tensors.get(name)?.dims;
    if (found?.join() !== dims.join())
      throw rejected(`${what}: ${name} is [${found ?? "missing"}], [${dims}] expected`);
  }
  const vectors = encoderLengths(graph);
  for (const [name, [least, most]] of Object.entries(vectors)) {
    const length = tensors.get(name)?.values.length;
    if (length === undefined) throw rejected(`${what}: ${name} is missing`);
    if (length < least || length > most)
      throw rejected(`${what}: ${name} has ${length} numbers, ${least} to ${most} expected`);
  }
  const numbers = [...tensors].map(([name, { values }]) => {
    if (!(values instanceof Float32Array)) throw rejected(`${what}: ${name} holds bytes, numbers expected`);
    if (!(name in vectors || name in partDims(graph))) throw rejected(`${what}: ${name} is not of a part`);
    const least = positiveTensors.has(name) ? Number.MIN_VALUE : -mostNumber;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!(value >= least && value <= mostNumber)) throw rejected(`${what}: ${name}[${i}] is ${value}`);
    }
    return [name, values];
  });
  return { sensorId, fleetId: metadata.fleetId ?? "", tensors: Object.fromEntries(numbers) };
}

function keepsDigits(values: Float32Array, beside: "largest" | "own" | undefined): boolean {
  if (beside === undefined) return false;
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const rounded = new Float16Array(values);
  return values.every((value, i) => {
    const size = beside === "own" ? Math.abs(value) : largest;
    return Math.abs(rounded[i]! - value) <= size / 1000;
  });
}

function rejected(message: string): AppError {
  return new AppError("artefactRejected", message);
}
