import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { checkGraph } from "../../models/onnx/check/check.ts";
import { artefactOf } from "../artefacts.ts";
import { randomOf } from "../builders.ts";
import { fleetOf } from "../fleets.ts";
import {
  attribute,
  encodeFields,
  type ForeignField,
  floats,
  foreignModel,
  integers,
  node,
  tensor,
  valueInfo,
} from "./foreign-graph.ts";

const pass = node("Identity", ["x"], ["y"]);
const external: ForeignField[] = [
  [1, 4],
  [2, 1],
  [8, "stolen"],
  [
    13,
    [
      [1, "location"],
      [2, ".env"],
    ],
  ],
  [14, 1],
];
const add = node("Add", ["x", "stolen"], ["y"]);
const inner: ForeignField[] = [node("Identity", ["x"], ["y"]), [2, "inner"]];
const subgraph: ForeignField = [
  5,
  [
    [1, "body"],
    [6, inner],
    [20, 5],
  ],
];

const hostile: [string, Uint8Array, RegExp][] = [
  ["external data in an initializer", foreignModel([[5, external], add]), /external data/],
  ["a data location alone", foreignModel([[5, [...tensor("w", [4], new Float32Array(4)), [14, 1]]], pass]), /location/],
  [
    "external data in an attribute",
    foreignModel([
      node(
        "Constant",
        [],
        ["stolen"],
        [
          5,
          [
            [1, "value"],
            [5, external],
            [20, 4],
          ],
        ],
      ),
      add,
    ]),
    /external data/,
  ],
  [
    "external data in an attribute that its operator does not read",
    foreignModel([
      node(
        "Identity",
        ["x"],
        ["y"],
        [
          5,
          [
            [1, "value"],
            [5, external],
            [20, 4],
          ],
        ],
      ),
    ]),
    /external data/,
  ],
  [
    "external data in a list of tensors",
    foreignModel([
      node(
        "Identity",
        ["x"],
        ["y"],
        [
          5,
          [
            [1, "values"],
            [10, external],
            [20, 9],
          ],
        ],
      ),
    ]),
    /list of tensors/,
  ],
  ["external data in a sparse tensor", foreignModel([[15, [[1, external]]], pass]), /sparse tensor/],
  [
    "a sparse tensor in an attribute",
    foreignModel([
      node(
        "Constant",
        [],
        ["s"],
        [
          5,
          [
            [1, "sparse_value"],
            [22, [[1, external]]],
            [20, 11],
          ],
        ],
      ),
      pass,
    ]),
    /sparse tensor/,
  ],
  [
    "external data in a subgraph",
    foreignModel([
      node(
        "If",
        ["x"],
        ["y"],
        [
          5,
          [
            [1, "then_branch"],
            [6, [[5, external]]],
          ],
        ],
      ),
    ]),
    /subgraph/,
  ],
  [
    "a function",
    foreignModel(
      [pass],
      [
        [
          25,
          [
            [1, "Steal"],
            [7, [[4, "Constant"]]],
          ],
        ],
      ],
    ),
    /functions/,
  ],
  ["training information", foreignModel([pass], [[20, [[1, inner]]]]), /training/],
  ["a loop", foreignModel([node("Loop", ["", "", "x"], ["y"], subgraph)]), /subgraph/],
  ["a scan without its body", foreignModel([node("Scan", ["x"], ["y"])]), /Scan/],
  ["a branch without its bodies", foreignModel([node("If", ["x"], ["y"])]), /If/],
  ["a random operator", foreignModel([node("RandomNormalLike", ["x"], ["y"])]), /RandomNormalLike/],
  ["dropout", foreignModel([node("Dropout", ["x"], ["y"])]), /Dropout/],
  [
    "an operator of a foreign domain",
    foreignModel([node("Gelu", ["x"], ["y"], [7, "com.microsoft"])]),
    /com\.microsoft/,
  ],
  [
    "a foreign domain imported",
    foreignModel(
      [pass],
      [
        [
          8,
          [
            [1, "com.microsoft"],
            [2, 1],
          ],
        ],
      ],
    ),
    /2 operator sets/,
  ],
  ["a later operator set", foreignModel([pass], [], 99), /operator set 99/],
  [
    "text",
    foreignModel([
      [
        5,
        [
          [1, 1],
          [2, 8],
          [6, "text"],
          [8, "w"],
        ],
      ],
      pass,
    ]),
    /strings/,
  ],
  ["an unknown field", foreignModel([pass], [[99, "hidden"]]), /field 99/],
  ["an unknown field in a node", foreignModel([node("Identity", ["x"], ["y"], [77, external])]), /field 77/],
  ["two graphs, of which one is seen", foreignModel([pass], [[7, [pass]]]), /graph twice/],
  ["two names of a node's operator", foreignModel([node("Identity", ["x"], ["y"], [4, "Loop"])]), /twice/],
  [
    "an attribute that says two things",
    foreignModel([
      node(
        "Identity",
        ["x"],
        ["y"],
        [
          5,
          [
            [1, "a"],
            [3, 1],
            [8, 2],
            [20, 2],
          ],
        ],
      ),
    ]),
    /beside/,
  ],
  [
    "a runtime's setting in the metadata",
    foreignModel(
      [pass],
      [
        [
          14,
          [
            [1, "ort_config"],
            [2, "{}"],
          ],
        ],
      ],
    ),
    /ort_config/,
  ],
  ["a name of a megabyte", foreignModel([[2, "x".repeat(2 ** 20)], pass]), /1048576 bytes/],
  ["deep nesting", foreignModel([node("If", ["x"], ["y"], nested(5000))]), /subgraph/],
  [
    "50,001 nodes",
    foreignModel(Array.from({ length: 50_001 }, (_, i) => node("Neg", ["x"], [`n${i}`]))),
    /more than|nodes/,
  ],
  [
    "a shape of gigabytes",
    foreignModel([integers("s", [40_000, 40_000]), node("ConstantOfShape", ["s"], ["y"])]),
    /1600000000 numbers/,
  ],
  [
    "expansion to gigabytes",
    foreignModel([integers("s", [2 ** 30, 1, 4]), node("Expand", ["x", "s"], ["y"])]),
    /numbers, at most/,
  ],
  [
    "tiles to gigabytes",
    foreignModel([integers("s", [2 ** 20, 2 ** 10]), node("Tile", ["x", "s"], ["y"])]),
    /numbers, at most/,
  ],
  ["a range", foreignModel([node("Range", ["x", "x", "x"], ["y"])]), /Range/],
  [
    "an outer product of gigabytes",
    foreignModel([floats("a", [60_000, 1]), floats("b", [1, 60_000]), node("Mul", ["a", "b"], ["y"])]),
    /3600000000/,
  ],
  [
    "a product of matrices of gigabytes",
    foreignModel([floats("a", [60_000, 1]), floats("b", [1, 60_000]), node("MatMul", ["a", "b"], ["y"])]),
    /3600000000/,
  ],
  [
    "values that double again and again",
    foreignModel(
      Array.from({ length: 60 }, (_, i) => node("Concat", [name(i), name(i)], [name(i + 1)], attribute("axis", 0))),
    ),
    /numbers, at most/,
  ],
  [
    "many values of a permitted size",
    foreignModel([
      floats("a", [4096, 1]),
      floats("b", [1, 4000]),
      ...Array.from({ length: 12 }, (_, i) => node("Mul", ["a", "b"], [`n${i}`])),
    ]),
    /values have more/,
  ],
  [
    "work of hours",
    foreignModel([
      floats("a", [4000, 1000]),
      floats("b", [1000, 4000]),
      ...Array.from({ length: 6 }, (_, i) => node("MatMul", ["a", "b"], [`n${i}`])),
    ]),
    /operations/,
  ],
  [
    "a size that depends on the input",
    foreignModel([node("Cast", ["x"], ["s"], attribute("to", 7)), node("ConstantOfShape", ["s"], ["y"])]),
    /not known/,
  ],
  [
    "a division of integers",
    foreignModel([integers("a", [1]), integers("b", [0]), node("Div", ["a", "b"], ["y"])]),
    /divides integers/,
  ],
  [
    "a negative size",
    foreignModel([
      [
        5,
        [
          [1, -4],
          [2, 1],
          [8, "w"],
          [9, new Uint8Array(16)],
        ],
      ],
      pass,
    ]),
    /-4/,
  ],
  [
    "a tensor with fewer bytes than its dims",
    foreignModel([
      [
        5,
        [
          [1, 400],
          [2, 1],
          [8, "w"],
          [9, new Uint8Array(16)],
        ],
      ],
      pass,
    ]),
    /4 numbers, 400/,
  ],
  [
    "an input open at another dim",
    encodeFields([
      [1, 8],
      [8, [[2, 17]]],
      [7, [pass, valueInfo(11, "x", ["batch", "n"])]],
    ]),
    /open at dim 1/,
  ],
  [
    "ONNX Runtime's own format",
    encodeFields([
      [2, "..ORTM...."],
      [1, 8],
    ]),
    /own format/,
  ],
  ["nothing", new Uint8Array(), /IR version 0/],
];

test.each(hostile)("refuses %s", (_, bytes, why) => {
  const verdict = checkGraph(bytes, 64);
  expect(verdict).toEqual({ ok: false, message: expect.stringMatching(why) });
});

test("lets the shipped kinds of graph pass, at the size of their batches", async () => {
  const { onnx } = await artefactOf();
  const { artefact } = await fleetOf(["a", "b"]);
  expect([checkGraph(onnx, 64), checkGraph(artefact.onnx, 256)]).toEqual([{ ok: true }, { ok: true }]);
});

test("refuses every cut of a model file", async () => {
  const { onnx } = await artefactOf();
  const random = randomOf(4);
  const cuts = Array.from({ length: 200 }, () => onnx.subarray(0, Math.floor(random() * onnx.length)));
  expect(cuts.filter((bytes) => checkGraph(bytes, 64).ok)).toEqual([]);
});

test("knows of each operator the size that ONNX Runtime makes", async () => {
  const [steps, hidden] = [3, 5];
  const cases: [string, ForeignField[]][] = [
    ["Transpose", [node("Transpose", ["x"], ["y"], attribute("perm", [1, 0]))]],
    ["Slice", [...bounds([-1], [-100], [1], [-2]), node("Slice", ["x", "b0", "b1", "b2", "b3"], ["y"])]],
    ["Gather", [integers("i", [1, 3, 3]), node("Gather", ["x", "i"], ["y"], attribute("axis", 1))]],
    ["Concat", [floats("w", [2, 4]), node("Concat", ["x", "w"], ["y"], attribute("axis", 0))]],
    ["Gemm", [floats("w", [7, 4]), node("Gemm", ["x", "w"], ["y"], attribute("transB", 1))]],
    ["MatMul", [floats("w", [3, 4, 2]), node("MatMul", ["x", "w"], ["y"])]],
    ["MatMul of a vector", [floats("w", [4]), node("MatMul", ["x", "w"], ["y"])]],
    ["Add", [floats("w", [5, 1, 4]), node("Add", ["x", "w"], ["y"])]],
    [
      "Where",
      [
        node("Greater", ["x", "w"], ["c"]),
        floats("w", [1, 4]),
        floats("v", [2, 1, 1]),
        node("Where", ["c", "x", "v"], ["y"]),
      ],
    ],
    [
      "Cast of bytes",
      [
        [
          5,
          [
            [1, 2],
            [1, 3],
            [2, 3],
            [8, "w"],
            [9, new Uint8Array([1, 255, 128, 127, 0, 2])],
          ],
        ],
        node("Cast", ["w"], ["y"], attribute("to", 1)),
      ],
    ],
    ["Flatten", [floats("w", [2, 3, 4]), node("Flatten", ["w"], ["y"], attribute("axis", -1))]],
    ["Reshape", [integers("s", [0, -1, 2]), node("Reshape", ["x", "s"], ["y"])]],
    [
      "Reshape by Shape",
      [
        node("Shape", ["x"], ["s0"]),
        integers("one", [1]),
        node("Concat", ["s0", "one"], ["s"], attribute("axis", 0)),
        node("Reshape", ["x", "s"], ["y"]),
      ],
    ],
    ["Squeeze", [floats("w", [1, 3, 1]), node("Squeeze", ["w"], ["y"])]],
    ["Unsqueeze", [integers("a", [0, -1]), node("Unsqueeze", ["x", "a"], ["y"])]],
    ["Split", [node("Split", ["x"], ["y", "z"], attribute("axis", 1))]],
    ["ReduceMean", [node("ReduceMean", ["x"], ["y"], attribute("axes", [-1]), attribute("keepdims", 0))]],
    ["ReduceSum", [node("ReduceSum", ["x"], ["y"])]],
    ["Expand", [integers("s", [3, 1, 1]), node("Expand", ["x", "s"], ["y"])]],
    ["Tile", [integers("s", [2, 3]), node("Tile", ["x", "s"], ["y"])]],
    ["ConstantOfShape", [integers("s", [2, 3]), node("ConstantOfShape", ["s"], ["y"])]],
    ...["LSTM", "GRU", "RNN"].map((operator, i): [string, ForeignField[]] => {
      const gates = [4, 3, 1][i]! * hidden;
      const layer = node(operator, ["rows", "w", "r"], ["y", "h"], attribute("hidden_size", hidden));
      const weights = [floats("w", [1, gates, 4]), floats("r", [1, gates, hidden])];
      return [operator, [integers("s", [steps, -1, 4]), node("Reshape", ["x", "s"], ["rows"]), ...weights, layer]];
    }),
  ];
  for (const [name, given] of cases) {
    const graph = [...given.filter(([id]) => id === 5), ...given.filter(([id]) => id !== 5)];
    const bytes = encodeFields([
      [1, 8],
      [8, [[2, 17]]],
      [
        7,
        [
          ...graph,
          [2, "t"],
          valueInfo(11, "x", ["batch", 4]),
          [
            12,
            [
              [1, "y"],
              [2, [[1, [[1, 1]]]]],
            ],
          ],
        ],
      ],
    ]);
    const session = await InferenceSession.create(Buffer.from(bytes), { logSeverityLevel: 4 });
    const { y } = await session.run({ x: new Tensor("float32", new Float32Array(24).fill(0.1), [6, 4]) });
    await session.release();
    // The size is the checker's own when the value joined to one of that shape passes, and to one with another does
    // not.
    const joined = (dims: readonly number[]) => {
      const fields = [...graph, integers("wanted", [...dims]), node("Reshape", ["y", "wanted"], ["reshaped"])];
      const other =
        dims.length === 0
          ? []
          : [
              node("Add", ["y", "alike"], ["sum"]),
              floats(
                "alike",
                [...dims].map((dim) => dim),
              ),
            ];
      return checkGraph(
        encodeFields([
          [1, 8],
          [8, [[2, 17]]],
          [7, [...fields, ...other, valueInfo(11, "x", ["batch", 4])]],
        ]),
        6,
      );
    };
    expect([name, joined(y!.dims)]).toEqual([name, { ok: true }]);
    const wrong = y!.dims.map((dim, i) => (i === y!.dims.length - 1 ? dim + 1 : dim));
    if (wrong.length > 0) expect([name, joined(wrong).ok]).toEqual([name, false]);
  }
});

function name(i: number): string {
  return i === 0 ? "x" : `n${i}`;
}

function bounds(...lists: number[][]): ForeignField[] {
  return lists.map((list, i) => integers(`b${i}`, list));
}

function nested(depth: number): ForeignField {
  let bytes = encodeFields([node("Identity", ["x"], ["y"])]);
  for (let i = 0; i < depth; i++)
    bytes = encodeFields([
      [
        1,
        [
          [4, "If"],
          [
            5,
            [
              [1, "then_branch"],
              [6, bytes],
              [20, 5],
            ],
          ],
        ],
      ],
    ]);
  return [
    5,
    [
      [1, "then_branch"],
      [6, bytes],
      [20, 5],
    ],
  ];
}
