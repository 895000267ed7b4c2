import { toSensorGrid } from "../core/data/context.ts";
import { featureCount } from "../core/model/features.ts";
import { leadsOf } from "../core/model/leads.ts";
import type { Artefact, GoldenCase, ModelManifest } from "../core/model/manifest.ts";
import { sha256Of } from "../core/model/sha256.ts";
import { channelCount } from "../core/model/spec.ts";
import { toModelInput } from "../core/model/tensors.ts";
import { type OnnxSession, openSession } from "../functions/adapters/onnx-session.ts";
import { createGraph, type GraphBuilder } from "../models/onnx/graph.ts";
import { manifestOf, randomOf, readingsOf, someSlot, wave } from "./builders.ts";

/** Adds work that changes no answer to a graph; gives back a value [batch, 1] of zeros. */
export type Burden = (graph: GraphBuilder, features: string, count: number) => string;

/** A real ONNX model: a product of the features per lead and target, the quantiles one unit apart. */
export function onnxOf(manifest: ModelManifest, seed = 1, burden?: Burden): Uint8Array {
  const { horizon, targets, quantiles, contextLength } = manifest;
  const random = randomOf(seed);
  const columns = horizon * targets.length * quantiles.length;
  const perLead = Float32Array.from(
    { length: featureCount(manifest) * horizon * targets.length },
    () => random() * 0.01,
  );
  const levels = quantiles.length;
  const weights = Float32Array.from(
    { length: featureCount(manifest) * columns },
    (_, i) => perLead[Math.floor(i / levels)]!,
  );
  const graph = createGraph();
  graph.input("sequence", ["batch", contextLength, channelCount(manifest.features, targets.length)]);
  const features = graph.input("features", ["batch", featureCount(manifest)]);
  const product = graph.node(
    "MatMul",
    [features, graph.constant("weights", [featureCount(manifest), columns], weights)],
    "product",
  );
  const widths = Array.from({ length: columns }, (_, i) => (i % levels) - (levels - 1) / 2);
  const sum = graph.node("Add", [product, graph.constant("widths", [columns], widths)], "sum");
  const answer = burden ? graph.node("Add", [sum, burden(graph, features, featureCount(manifest))], "burdened") : sum;
  graph.node("Reshape", [answer, graph.integers("dims", [-1, horizon, targets.length, levels])], "quantiles");
  graph.output("quantiles", ["batch", horizon, targets.length, levels]);
  return new Uint8Array(graph.encode("test"));
}

/** A whole artefact whose sha256 and golden vector agree, the golden one answered by ONNX Runtime. */
export async function artefactOf(overrides: Partial<ModelManifest> = {}, seed = 1, burden?: Burden): Promise<Artefact> {
  const draft = manifestOf(overrides);
  const onnx = onnxOf(draft, seed, burden);
  const manifest = { ...draft, modelSha256: await sha256Of(onnx) };
  const session = await openSession(onnx, manifest);
  const [first, ...further] = await Promise.all(
    [0, 25, -25].map((shift) => goldenInputs(session, manifest, seed, shift)),
  );
  await session.release();
  return { onnx, manifest, golden: { ...first!, tolerance: 1e-4, further } };
}

/** A golden vector answered by ONNX Runtime, the readings moved by `shift`. */
export async function goldenInputs(
  session: OnnxSession,
  manifest: ModelManifest,
  seed: number,
  shift: number,
): Promise<GoldenCase> {
  const { targets, stepSeconds, historyLength } = manifest;
  const columns = targets.map(
    ({ name }, k) => [name, wave(historyLength, { seed: seed + k, mean: 20 + 10 * k + shift })] as const,
  );
  const readings = readingsOf(Object.fromEntries(columns), { stepSeconds });
  const sensor = toSensorGrid(readings, { stepSeconds, leads: leadsOf(manifest), targets }, someSlot, historyLength);
  if (sensor === null) throw new Error("the golden readings have no valid value");
  const { last, ...input } = toModelInput(manifest, sensor, targets);
  const [output] = await session.run([input]);
  if (!output?.ok) throw new Error(output?.message);
  return {
    origin: someSlot.toISOString(),
    readings: { at: [...readings.at], values: Object.fromEntries(columns) },
    quantiles: Array.from(output.quantiles, (change, i) => last[Math.floor(i / 3) % targets.length]! + change),
  };
}
