import { AppError } from "../../core/errors.ts";
import { branchRuns, featureLimit } from "../engine/batch.ts";
import { leadCount, type NetworkShape, parameterLayout, rowFeatures } from "../layout.ts";
import { createGraph, type GraphBuilder, type WeightType } from "./graph.ts";
import { addParts, nameNet } from "./member.ts";
import { spreadMatrix } from "./spread.ts";

/**
 * A fleet's networks, trained from several seeds, as `Network.weights` gives them; the forecast is their mean and a
 * share of ridge. With `weightType` float16 the first layer's matrix lies in bytes (see `roundFirstLayer`).
 */
export type FleetExport = {
  shape: NetworkShape;
  members: Float32Array[];
  ridgeShare: number;
  weightType: Exclude<WeightType, "int8">;
};

/**
 * The networks of a fleet as one ONNX file of standard operators, whatever the sensors: what is a sensor's own comes in
 * with its row, so that a shard is one run. Float32 inputs, [batch, ...]: `sequence` [contextLength, channels];
 * `features` [rowFeatures], standardised and unclipped; `changes` [targets, leads], ridge's; `skip` [targets, linear,
 * horizon], the mean of the members' (see `meanSkip`); `residualScale` [leads, targets]; `widths` [leads, targets,
 * quantiles - 1], the pre-softplus starting ones; `bands` [leads, targets, quantiles], ridge's quantiles beside its
 * change. Outputs [leads, targets, quantiles], change from the origin's value: `quantiles`, and `ridge`, ridge alone.
 * Weights of another shape throw badInput.
 */
export function exportFleet({ shape, members, ridgeShare, weightType }: FleetExport): Uint8Array {
  checkMembers(shape, members);
  const { targets, linear, contextLength, channels, quantiles } = shape;
  const levels = quantiles.length;
  const leads = leadCount(shape);
  const cells = targets * leads;
  const graph = createGraph();
  const input = (name: string, ...dims: number[]) => graph.input(name, ["batch", ...dims]);
  const sequence = input("sequence", contextLength, channels);
  const features = input("features", rowFeatures(shape));
  const changes = addRow(graph, input("changes", targets, leads), [1, cells]);
  const skip = input("skip", targets, linear, shape.horizon);
  const scale = addByTarget(graph, input("residualScale", leads, targets, 1), 1, cells);
  const starting = levels > 1 ? addByTarget(graph, input("widths", leads, targets, levels - 1), levels - 1, cells) : "";
  const bands = addByTarget(graph, input("bands", leads, targets, levels), levels, cells);

  const limits = [graph.constant("lowest", [], [-featureLimit]), graph.constant("highest", [], [featureLimit])];
  const row = graph.node("Clip", [features, ...limits], "clipped");
  const { near: clipped, far } = splitFeatures(graph, shape, row);
  const steps = shape.hidden > 0 ? graph.node("Transpose", [sequence], "steps", { perm: [1, 0, 2] }) : sequence;
  const parts = members.map((weights, i) =>
    addParts(nameNet(graph, shape, weights, `net${i}`, weightType), { steps, clipped, far }, starting),
  );
  const total = parts.reduce((sum, part, i) => graph.node("Add", [sum, part], `sum${i}`));
  // Each level is the middle plus or minus the widths between; the mean over the members in the same product.
  const spread = graph.constant(
    "spread",
    [levels, levels],
    spreadMatrix(levels).map((value) => value / members.length),
  );
  const own = graph.node("MatMul", [spread, total], "own");

  const skipped = addSkip(graph, shape, clipped, skip);
  const share = graph.node("Mul", [scale, graph.constant("networkShare", [], [1 - ridgeShare])], "scaleShare");
  const network = graph.node("Mul", [graph.node("Add", [own, skipped], "inScales"), share], "network");
  const fixed = graph.node("Mul", [bands, graph.constant("ridgeShare", [], [ridgeShare])], "bandsShare");
  const above = graph.node("Add", [network, fixed], "aboveRidge");
  addLevels(graph, graph.node("Add", [above, changes], "levels"), shape, "quantiles");
  addLevels(graph, graph.node("Add", [bands, changes], "ridgeLevels"), shape, "ridge");
  return graph.encode("fleet");
}

/**
 * The mean of the members' skips of each sensor, [sensors, targets, linear, leads]: with it the members' middles need
 * no own.
 */
export function meanSkip(shape: NetworkShape, members: Float32Array[]): Float32Array {
  const size = shape.sensors * shape.targets * shape.linear * shape.horizon;
  return Float32Array.from(
    { length: size },
    (_, i) => members.reduce((sum, weights) => sum + weights[i]!, 0) / members.length,
  );
}

/** [batch, leads, targets, width] as [batch, width, targets * leads]. */
function addByTarget(graph: GraphBuilder, value: string, width: number, cells: number): string {
  const turned = graph.node("Transpose", [value], `${value}.turned`, { perm: [0, 3, 2, 1] });
  return addRow(graph, turned, [width, cells]);
}

function addRow(graph: GraphBuilder, value: string, dims: number[]): string {
  return graph.node("Reshape", [value, graph.integers(`${value}.dims`, [-1, ...dims])], `${value}.rows`);
}

/** The columns of the rows' features that the branch sees, and those that the far head does; "" for none. */
function splitFeatures(graph: GraphBuilder, shape: NetworkShape, row: string): { near: string; far: string } {
  const columns = shape.far?.features ?? [];
  if (columns.length === 0) return { near: row, far: "" };
  const pick = (name: string, which: number[]) =>
    graph.node("Gather", [row, graph.integers(`${name}.columns`, which)], name, { axis: 1 });
  const near = branchRuns(shape).flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
  return { near: pick("near", near), far: pick("far", columns) };
}

/** Each row's linear features times its own skip, [batch, 1, targets * leads]; 0 at the far head's leads. */
function addSkip(graph: GraphBuilder, shape: NetworkShape, clipped: string, skip: string): string {
  const { targets, linear, horizon } = shape;
  const leads = leadCount(shape);
  const bounds = [[0], [targets * linear], [1]].map((values, i) => graph.integers(`linear.${i}`, values));
  const flat = graph.node("Slice", [clipped, ...bounds], "linear");
  const product = graph.node("MatMul", [addRow(graph, flat, [targets, 1, linear]), skip], "skip.product");
  if (leads === horizon) return addRow(graph, product, [1, targets * leads]);
  const places = Float32Array.from({ length: horizon * leads }, (_, i) =>
    Math.floor(i / leads) === i % leads ? 1 : 0,
  );
  const placed = graph.node(
    "MatMul",
    [product, graph.constant("skip.places", [horizon, leads], places)],
    "skip.placed",
  );
  return addRow(graph, placed, [1, targets * leads]);
}

/** [batch, levels, targets * leads] as the output [batch, leads, targets, levels]. */
function addLevels(graph: GraphBuilder, value: string, shape: NetworkShape, name: string): void {
  const { quantiles, targets } = shape;
  const leads = leadCount(shape);
  const rows = addRow(graph, value, [quantiles.length, targets, leads]);
  graph.node("Transpose", [rows], name, { perm: [0, 3, 2, 1] });
  graph.output(name, ["batch", leads, targets, quantiles.length]);
}

function checkMembers(shape: NetworkShape, members: Float32Array[]): void {
  const expected = parameterLayout(shape).reduce((total, { size }) => total + size, 0);
  const wrong = members.find((weights) => weights.length !== expected);
  if (wrong) throw new AppError("badInput", `${wrong.length} weights for a network that has ${expected}`);
  if (members.length === 0 || shape.hidden + shape.branchUnits < 1 || shape.linear < 1) {
    throw new AppError("badInput", "a fleet's graph needs a network with linear features, and an LSTM or a branch");
  }
}
