import { refused } from "./limits.ts";
import type { Effect, NodeView } from "./node.ts";
import { sizeOf } from "./value.ts";

const gatesOf = { LSTM: 4, GRU: 3, RNN: 1 } as const;

/**
 * A recurrent layer over [steps, batch, inputs], with weights [directions, gates * hidden, ...] that fit it and no
 * lengths of its own. Its operator looks at few of these itself.
 */
export function checkRecurrent(name: string, node: NodeView): Effect {
  const gates = gatesOf[name as keyof typeof gatesOf];
  const { what } = node;
  const hidden = node.integer("hidden_size", 0);
  const directions = node.attributes.get("direction")?.s === "bidirectional" ? 2 : 1;
  const { dims, type } = node.input(0);
  const [steps, batch, inputs] = dims;
  if (dims.length !== 3 || hidden < 1 || node.integer("layout", 0) !== 0) {
    throw refused(`${what} takes [${dims}] with hidden_size ${hidden}, layout ${node.integer("layout", 0)}`);
  }
  if (node.inputs[4]) throw refused(`${what} has sequence lengths`);
  const state = [directions, batch!, hidden];
  const expected: (number[] | null)[] = [
    ...[dims, [directions, gates * hidden, inputs!], [directions, gates * hidden, hidden]],
    ...[[directions, 2 * gates * hidden], null, state],
    ...(name === "LSTM" ? [state, [directions, 3 * hidden]] : []),
  ];
  for (const [i, value] of node.inputs.entries()) {
    if (!value) {
      if (i < 3) throw refused(`${what} lacks input ${i}`);
    } else if (value.dims.join() !== expected[i]?.join()) {
      throw refused(`${what}: input ${i} is [${value.dims}], [${expected[i]}] expected`);
    }
  }
  const values = [[steps!, directions, batch!, hidden], state, state].map((made) => ({
    dims: made,
    type,
    known: null,
  }));
  const operations = sizeOf([steps!, batch!, directions, gates, hidden, inputs! + hidden]);
  return { values: values.slice(0, name === "LSTM" ? 3 : 2), operations };
}
