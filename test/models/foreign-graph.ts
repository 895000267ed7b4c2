import protobuf from "protobufjs/minimal.js";

/** A field of a Protocol Buffers message by number: text, an integer, bytes, or fields within. */
export type ForeignField = [id: number, value: string | number | Uint8Array | ForeignField[]];

/** The bytes of a message; nothing looks whether they mean anything. */
export function encodeFields(fields: ForeignField[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [id, value] of fields) {
    if (typeof value === "number") writer.uint32(id << 3).int64(value);
    else if (typeof value === "string") writer.uint32((id << 3) | 2).string(value);
    else writer.uint32((id << 3) | 2).bytes(value instanceof Uint8Array ? value : encodeFields(value));
  }
  return writer.finish();
}

/** An attribute of integers, or of one integer. */
export function attribute(name: string, value: number | number[]): ForeignField {
  const given: ForeignField[] = Array.isArray(value) ? value.map((number) => [8, number]) : [[3, value]];
  return [5, [[1, name], ...given, [20, Array.isArray(value) ? 7 : 2]]];
}

/** A node of a graph. */
export function node(operator: string, inputs: string[], outputs: string[], ...more: ForeignField[]): ForeignField {
  const names = (id: number, values: string[]) => values.map((value): ForeignField => [id, value]);
  return [1, [...names(1, inputs), ...names(2, outputs), [4, operator], ...more]];
}

/** A tensor's fields with values that lie in the file. */
export function tensor(name: string, dims: number[], values: Float32Array | BigInt64Array): ForeignField[] {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const type = values instanceof Float32Array ? 1 : 7;
  return [...dims.map((dim): ForeignField => [1, dim]), [2, type], [8, name], [9, raw]];
}

export function floats(name: string, dims: number[], value = 0.5): ForeignField {
  return [5, tensor(name, dims, new Float32Array(dims.reduce((product, dim) => product * dim, 1)).fill(value))];
}

export function integers(name: string, values: number[]): ForeignField {
  return [5, tensor(name, [values.length], BigInt64Array.from(values, BigInt))];
}

/** An input (11) or output (12) of a graph. */
export function valueInfo(id: 11 | 12, name: string, dims: (number | string)[], type = 1): ForeignField {
  const dim = dims.map((size): ForeignField => [1, [[typeof size === "number" ? 1 : 2, size]]]);
  return [
    id,
    [
      [1, name],
      [
        2,
        [
          [
            1,
            [
              [1, type],
              [2, dim],
            ],
          ],
        ],
      ],
    ],
  ];
}

/** A model of inputs `x` [batch, 4] and output `y`, with these fields in its graph and beside it. */
export function foreignModel(graph: ForeignField[], beside: ForeignField[] = [], opset = 17): Uint8Array {
  const frame = [valueInfo(11, "x", ["batch", 4]), valueInfo(12, "y", ["batch", 4])];
  return encodeFields([
    [1, 8],
    [
      8,
      [
        [1, ""],
        [2, opset],
      ],
    ],
    [7, [...graph, [2, "test"], ...frame]],
    ...beside,
  ]);
}
