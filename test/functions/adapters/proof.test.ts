import { expect, test } from "vitest";
import { memoryStore } from "../../../functions/adapters/memory-store.ts";
import { onnxInference } from "../../../functions/adapters/onnx.ts";
import { type ProofLimits, provingProcess } from "../../../functions/adapters/proof.ts";
import { artefactOf, type Burden } from "../../artefacts.ts";
import { quietLog } from "../../fakes/log.ts";
import { fleetOf } from "../../fleets.ts";

const limits: ProofLimits = { cpuSeconds: 60, megabytes: 1024, wallSeconds: 600 };

/** Products that take a second of a core for a full batch, and stay below the caps on a graph. */
const slow: Burden = (graph, features, count) => {
  const width = 2048;
  const into = graph.constant("into", [count, width], new Float32Array(count * width));
  const square = graph.constant("square", [width, width], new Float32Array(width * width));
  let value = graph.node("MatMul", [features, into], "slow");
  for (let i = 0; i < 30; i++) value = graph.node("MatMul", [value, square], `slow${i}`);
  return graph.node("MatMul", [value, graph.constant("out", [width, 1], new Float32Array(width))], "slowOut");
};

/** Values of 64 MB that are all needed at the end. */
const wide: Burden = (graph, features, count) => {
  const width = 2 ** 18;
  const one = graph.node("MatMul", [features, graph.constant("ones", [count, 1], new Float32Array(count))], "one");
  const names = [0, 1].map((i) => {
    const expanded = graph.node("Expand", [one, graph.integers(`size${i}`, [1, width])], `wide${i}`);
    return graph.node("Tanh", [expanded], `wider${i}`);
  });
  const [first, ...others] = names;
  const sum = others.reduce((value, other, i) => graph.node("Add", [value, other], `sum${i}`), first!);
  return graph.node("MatMul", [sum, graph.constant("outWide", [width, 1], new Float32Array(width))], "wideOut");
};

test("says of a good model, and of a good fleet, what is said in this process", async () => {
  const prove = provingProcess(limits);
  const artefact = await artefactOf();
  expect(await prove({ kind: "model", artefact })).toEqual({ ok: true });
  const golden = { ...artefact.golden, quantiles: artefact.golden.quantiles.with(3, 20) };
  expect(await prove({ kind: "model", artefact: { ...artefact, golden } })).toMatchObject({
    ok: false,
    message: expect.stringMatching(/model-a: golden vector missed by/),
  });
  const fleet = await fleetOf(["a", "b", "c"]);
  expect(await prove({ kind: "fleet", artefact: fleet.artefact })).toEqual({ ok: true });
  const cut = { ...fleet.artefact, onnx: fleet.artefact.onnx.slice(0, 9999) };
  expect(await prove({ kind: "fleet", artefact: cut })).toMatchObject({ ok: false, message: /graph refused/ });
});

test("a slow model is refused with the time it took, and its process is gone", async () => {
  const artefact = await artefactOf({}, 1, slow);
  const verdict = await provingProcess({ ...limits, cpuSeconds: 0.6 })({ kind: "model", artefact });
  expect(verdict).toEqual({ ok: false, message: "model-a: verifying it takes more than 0.6 s of CPU" });
  const hurried = await provingProcess({ ...limits, wallSeconds: 0.2 })({ kind: "model", artefact });
  expect(hurried).toEqual({ ok: false, message: "model-a: verifying it takes more than 0.2 s" });
});

test("a model that wants much memory is refused with how much", async () => {
  const artefact = await artefactOf({}, 1, wide);
  const verdict = await provingProcess({ ...limits, megabytes: 256 })({ kind: "model", artefact });
  expect(verdict).toEqual({ ok: false, message: "model-a: verifying it takes more than 256 MB of memory" });
});

test("what is new is proved there, what is registered is loaded here", async () => {
  const artefact = await artefactOf();
  const store = memoryStore();
  await store.put(artefact);
  const asked: string[] = [];
  const prove = async ({ kind }: { kind: string }) => {
    asked.push(kind);
    return { ok: false as const, message: "too slow" };
  };
  const inference = onnxInference({ store, log: quietLog() }, { prove });
  expect(await inference.verify(artefact)).toEqual({ ok: false, message: "too slow" });
  expect(asked).toEqual(["model"]);
  await inference.close();
});

test("a fault of the child is a fault, not a refusal", async () => {
  const { artefact } = await fleetOf(["a"]);
  const task = { kind: "fleet" as const, artefact: { ...artefact, golden: null as unknown as Uint8Array } };
  await expect(provingProcess(limits)(task)).rejects.toMatchObject({ code: "internal" });
});
