import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { openFleetSession } from "../../../functions/adapters/onnx-fleet-session.ts";
import { openSession } from "../../../functions/adapters/onnx-session.ts";
import { manifestOf } from "../../builders.ts";
import { manifestOf as fleetManifestOf } from "../../fleets.ts";
import { type ForeignField, foreignModel, node } from "../../models/foreign-graph.ts";

const entry = (key: string, value: string): ForeignField => [
  13,
  [
    [1, key],
    [2, value],
  ],
];
const stolen: ForeignField[] = [
  [1, 4],
  [2, 1],
  [8, "w"],
  entry("location", "package.json"),
  entry("length", "16"),
  [14, 1],
];
const thief = foreignModel([[5, stolen], node("Add", ["x", "w"], ["y"])]);

test("ONNX Runtime alone gives away a file of the working directory", async () => {
  const session = await InferenceSession.create(Buffer.from(thief), {
    graphOptimizationLevel: "disabled",
    logSeverityLevel: 4,
  });
  const { y } = await session.run({ x: new Tensor("float32", new Float32Array(4), [1, 4]) });
  await session.release();
  expect(Buffer.from((y!.data as Float32Array).buffer).toString()).toMatch(/^\{\n {2}"name"/);
});

test("neither kind of session lets such a graph reach ONNX Runtime", async () => {
  const refusal = { code: "artefactRejected", message: expect.stringContaining("external data") };
  await expect(openSession(thief, manifestOf())).rejects.toMatchObject(refusal);
  await expect(openFleetSession({ onnx: thief, manifest: fleetManifestOf("rooms-1") })).rejects.toMatchObject(refusal);
});
