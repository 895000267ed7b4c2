import { createGraph } from "./graph.ts";

/** What a fleet's graph takes of a sensor, one row each; `ridge` [targets, linear + 1, leads], the intercept last. */
export type PartTensors = Record<"ridge" | "skip" | "residualScale" | "widths" | "bands", Float32Array>;

/**
 * A fleet's graph as the model of one sensor, for use elsewhere: its part becomes constants, ridge a product in the
 * graph. Inputs `sequence` and `features`, outputs `quantiles` and `ridge` as before.
 */
export function bindPart(fleet: Uint8Array, part: PartTensors, targets: number): Uint8Array {
  const graph = createGraph(fleet);
  for (const name of ["skip", "residualScale", "widths", "bands"] as const) {
    if (part[name].length > 0) graph.constant(name, graph.takeInput(name), part[name]);
  }
  const leads = part.residualScale.length / targets;
  const linear = part.ridge.length / targets / leads - 1;
  const weights = new Float32Array(targets * linear * leads);
  const intercepts = new Float32Array(targets * leads);
  for (let target = 0; target < targets; target++) {
    const own = part.ridge.subarray(target * (linear + 1) * leads, (target + 1) * (linear + 1) * leads);
    weights.set(own.subarray(0, linear * leads), target * linear * leads);
    intercepts.set(own.subarray(linear * leads), target * leads);
  }
  const bounds = [[0], [targets * linear], [1]].map((values, i) => graph.integers(`ridge.linear.${i}`, values));
  const flat = graph.node("Slice", ["features", ...bounds], "ridge.linear");
  const rows = graph.node("Reshape", [flat, graph.integers("ridge.rows.dims", [-1, targets, 1, linear])], "ridge.rows");
  const matrix = graph.constant("ridge.weights", [1, targets, linear, leads], weights);
  const product = graph.node("MatMul", [rows, matrix], "ridge.product");
  const dims = graph.integers("ridge.dims", [-1, targets, leads]);
  const shaped = graph.node("Reshape", [product, dims], "ridge.shaped");
  graph.takeInput("changes");
  graph.node("Add", [shaped, graph.constant("ridge.intercepts", [1, targets, leads], intercepts)], "changes");
  return graph.encode("forecast");
}
