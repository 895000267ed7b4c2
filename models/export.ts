import { AppError } from "../core/errors.ts";
import { featureLimit } from "./engine/batch.ts";
import { featureCount, forEachOutput, parameterLayout } from "./layout.ts";
import type { ExportInput } from "./onnx/blend.ts";
import { createGraph } from "./onnx/graph.ts";
import { addLinear, addPerTarget, blendLinear } from "./onnx/linear.ts";
import { addMember } from "./onnx/member.ts";
import { spreadMatrix } from "./onnx/spread.ts";

/**
 * The served model as one ONNX file of standard operators, opset 17, dynamic batch.
 * Inputs float32: `sequence` [batch, contextLength, channels]; `features` [batch, targets * linear + extra],
 * standardised and unclipped.
 * Outputs [batch, horizon, targets, quantiles], change from the origin's value on the target's link's scale:
 * `quantiles`, the sum over members and ridge of share * quantiles; `ridge`, ridge alone. What is linear in the inputs
 * is folded into one product.
 * Throws badInput for shares that do not add up to 1 or weights of another shape.
 */
export function exportOnnx({ shape, members, ridge }: ExportInput): Uint8Array {
  checkInput({ shape, members, ridge });
  const { targets, horizon, linear, contextLength, channels } = shape;
  const levels = shape.quantiles.length;
  const graph = createGraph();
  const sequence = graph.input("sequence", ["batch", contextLength, channels]);
  const features = graph.input("features", ["batch", featureCount(shape)]);
  const clipped = graph.node(
    "Clip",
    [features, graph.constant("lowest", [], [-featureLimit]), graph.constant("highest", [], [featureLimit])],
    "clipped",
  );
  const perTarget = (value: string) => addPerTarget(graph, shape, value);
  const unclippedLinear = perTarget(features);

  const steps = shape.hidden > 0 ? graph.node("Transpose", [sequence], "steps", { perm: [1, 0, 2] }) : sequence;
  const parts = members.map((member, i) => addMember(graph, shape, member, `net${i}`, steps, clipped));

  // The linear paths of all members and ridge: [targets, batch, 2 * linear] x [targets, 2 * linear, horizon].
  const blended = blendLinear({ shape, members, ridge });
  const both = graph.node("Concat", [unclippedLinear, perTarget(clipped)], "linear", { axis: 2 });
  const linearMiddle = addLinear(graph, shape, "blend", both, 2 * linear, blended);

  // [middle, widths] -> quantiles: each level is the middle plus or minus the widths between.
  const fixed = new Array<number>(levels * targets * horizon).fill(0);
  forEachOutput(shape, (level, target, lead) => {
    const value = ridge.residualQuantiles[(lead * targets + target) * levels + level] ?? 0;
    fixed[(level * targets + target) * horizon + lead] = ridge.share * value;
  });
  let values = graph.constant("ridge.fixed", [1, levels, targets * horizon], fixed);
  if (parts.length > 0) {
    const total = parts.reduce((sum, part, i) => graph.node("Add", [sum, part], `sum${i}`));
    const spread = graph.constant("spread", [levels, levels], spreadMatrix(levels));
    values = graph.node("Add", [graph.node("MatMul", [spread, total], "spreadOut"), values], "changes");
  }
  const shaped = graph.node(
    "Reshape",
    [values, graph.integers("outputDims", [-1, levels, targets, horizon])],
    "levelChanges",
  );
  const sum = graph.node("Add", [shaped, linearMiddle], "levelsFirst");
  graph.node("Transpose", [sum], "quantiles", { perm: [0, 3, 2, 1] });
  graph.output("quantiles", ["batch", horizon, targets, levels]);

  const alone = addLinear(graph, shape, "ridge", unclippedLinear, linear, ridge);
  const ordered = graph.node("Transpose", [alone], "ridge.ordered", { perm: [0, 3, 2, 1] });
  const residual = graph.constant("ridge.residual", [1, horizon, targets, levels], ridge.residualQuantiles);
  graph.node("Add", [ordered, residual], "ridge");
  graph.output("ridge", ["batch", horizon, targets, levels]);
  return graph.encode("forecast");
}

function checkInput({ shape, members, ridge }: ExportInput): void {
  const shares = members.reduce((sum, { share }) => sum + share, ridge.share);
  if (Math.abs(shares - 1) > 1e-6) throw new AppError("badInput", `the shares add up to ${shares}, not to 1`);
  if (shape.linear < 1) throw new AppError("badInput", "a model without linear features has no ridge to export");
  const expected = parameterLayout(shape).reduce((total, { size }) => total + size, 0);
  for (const { weights } of members) {
    if (weights.length !== expected) {
      throw new AppError("badInput", `${weights.length} weights for a network that has ${expected}`);
    }
  }
}
