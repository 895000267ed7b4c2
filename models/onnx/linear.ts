import type { NetworkShape } from "../layout.ts";
import type { ExportInput, LinearMap } from "./blend.ts";
import type { GraphBuilder } from "./graph.ts";

/** The linear features as [targets, batch, linear]. */
export function addPerTarget(graph: GraphBuilder, shape: NetworkShape, value: string): string {
  const { targets, linear } = shape;
  const name = `${value}.linear`;
  const [from, to] = [graph.integers(`${name}.from`, [0]), graph.integers(`${name}.to`, [targets * linear])];
  const slice = graph.node("Slice", [value, from, to, graph.integers(`${name}.axis`, [1])], `${name}.flat`);
  const dims = graph.integers(`${name}.dims`, [-1, targets, linear]);
  const rows = graph.node("Reshape", [slice, dims], `${name}.rows`);
  return graph.node("Transpose", [rows], name, { perm: [1, 0, 2] });
}

/** x [targets, batch, depth] times the map, as [batch, 1, targets, horizon]. */
export function addLinear(
  graph: GraphBuilder,
  { targets, horizon }: NetworkShape,
  name: string,
  x: string,
  depth: number,
  map: LinearMap,
): string {
  const weights = graph.constant(`${name}.weights`, [targets, depth, horizon], map.weights);
  const bias = graph.constant(`${name}.bias`, [targets, 1, horizon], map.bias);
  const product = graph.node("MatMul", [x, weights], `${name}.product`);
  const value = graph.node("Add", [product, bias], `${name}.value`);
  const rows = graph.node("Transpose", [value], `${name}.rows`, { perm: [1, 0, 2] });
  const dims = graph.integers(`${name}.dims`, [-1, 1, targets, horizon]);
  return graph.node("Reshape", [rows, dims], `${name}.middle`);
}

/** Ridge and skip of all members and ridge's own share as one map of [unclipped, clipped] features. */
export function blendLinear({ shape, members, ridge }: ExportInput): LinearMap {
  const { targets, linear, horizon } = shape;
  const weights = new Float64Array(targets * 2 * linear * horizon);
  const bias = new Float64Array(targets * horizon);
  for (const { share, ...map } of [...members.map((m) => ({ share: m.share, ...m.ridge })), ridge]) {
    for (let target = 0; target < targets; target++) {
      for (let i = 0; i < linear * horizon; i++) {
        const at = target * 2 * linear * horizon + i;
        weights[at] = (weights[at] ?? 0) + share * (map.weights[target * linear * horizon + i] ?? 0);
      }
    }
    for (let i = 0; i < bias.length; i++) bias[i] = (bias[i] ?? 0) + share * (map.bias[i] ?? 0);
  }
  for (const member of members) {
    for (let target = 0; target < targets; target++) {
      for (let i = 0; i < linear * horizon; i++) {
        const at = (target * 2 + 1) * linear * horizon + i;
        const scale = member.residualScale[(i % horizon) * targets + target] ?? 0;
        // skip.weight is the first tensor of the layout.
        const skip = member.weights[target * linear * horizon + i] ?? 0;
        weights[at] = (weights[at] ?? 0) + member.share * scale * skip;
      }
    }
  }
  return { weights, bias };
}
