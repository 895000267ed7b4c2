import { asSensorGrid } from "../data/context.ts";
import type { Fleet, Readings } from "../data/reading.ts";
import { artefactDigest } from "./artefact-digest.ts";
import { leadsOf } from "./leads.ts";
import { fromLink } from "./link.ts";
import { type Artefact, type GoldenCase, GoldenVector, ModelManifest } from "./manifest.ts";
import { sha256Of } from "./sha256.ts";
import { goldenCases, misfitOf, toleranceMisfit } from "./soundness.ts";
import { type ModelInput, type ModelOutput, toModelInput } from "./tensors.ts";

/** Whether an artefact may serve, else what is wrong with it, with the numbers. */
export type Verdict = { ok: true } | { ok: false; message: string };

/**
 * Whether the artefact may serve: its bytes have the manifest's sha256 (and the registered ones of bytes and files
 * where given), manifest and golden vector parse and fit together, and `run`, which sees only bytes that passed so far,
 * answers the golden vectors within their tolerance by the encoder that serving uses. Else what disagrees, with the
 * numbers.
 */
export async function verifyArtefact(
  artefact: Artefact,
  run: (input: ModelInput) => Promise<ModelOutput>,
  registered: { sha256?: string; digest?: string | null } = {},
): Promise<Verdict> {
  const manifest = ModelManifest.safeParse(artefact.manifest);
  if (!manifest.success) return refuse(`manifest: ${firstIssue(manifest.error)}`);
  const vector = GoldenVector.safeParse(artefact.golden);
  if (!vector.success) return refuse(`golden vector: ${firstIssue(vector.error)}`);
  const { modelId, modelSha256 } = manifest.data;
  const misfit = misfitOf(manifest.data) ?? toleranceMisfit(manifest.data, vector.data);
  if (misfit !== null) return refuse(`${modelId}: ${misfit}`);
  const sha256 = await sha256Of(artefact.onnx);
  if (sha256 !== modelSha256)
    return refuse(`${modelId}: bytes have sha256 ${sha256}, the manifest says ${modelSha256}`);
  if (registered.sha256 !== undefined && sha256 !== registered.sha256) {
    return refuse(`${modelId}: bytes have sha256 ${sha256}, ${registered.sha256} is registered`);
  }
  const digest = registered.digest ? await artefactDigest(artefact) : null;
  if (digest && digest !== registered.digest) {
    return refuse(`${modelId}: its files have digest ${digest}, ${registered.digest} is registered`);
  }
  for (const golden of goldenCases(vector.data)) {
    const verdict = await answersGolden(manifest.data, { ...golden, tolerance: vector.data.tolerance }, run);
    if (!verdict.ok) return verdict;
  }
  return { ok: true };
}

async function answersGolden(
  manifest: ModelManifest,
  golden: GoldenCase & { tolerance: number },
  run: (input: ModelInput) => Promise<ModelOutput>,
): Promise<Verdict> {
  const { modelId, targets, horizon, quantiles, stepSeconds, features } = manifest;
  const size = horizon * targets.length * quantiles.length;
  if (golden.quantiles.length !== size) {
    return refuse(`${modelId}: golden vector has ${golden.quantiles.length} numbers, ${size} expected`);
  }
  const fleet: Fleet = { stepSeconds, leads: leadsOf(manifest), targets };
  const origin = new Date(golden.origin);
  const sensor = asSensorGrid(readingsOf(golden), fleet, origin, manifest.historyLength);
  if (sensor?.origin.getTime() !== origin.getTime()) {
    return refuse(`${modelId}: golden vector has no reading at its origin ${golden.origin}`);
  }
  const { last, ...input } = toModelInput(manifest, sensor, targets);
  const output = await run(input);
  if (!output.ok) return refuse(`${modelId}: ${output.message}`);
  if (output.quantiles.length !== size) {
    return refuse(`${modelId}: model answered ${output.quantiles.length} numbers, ${size} expected`);
  }
  let furthest = 0;
  for (let i = 0; i < size; i++) {
    const k = Math.floor(i / quantiles.length) % targets.length;
    const answer = fromLink(features.links[k]!, last[k]! + output.quantiles[i]!);
    const distance = Math.abs(answer - golden.quantiles[i]!);
    // NaN must not pass for close.
    if (!(distance <= golden.tolerance) && !(distance <= furthest)) furthest = distance;
  }
  if (furthest === 0) return { ok: true };
  return refuse(`${modelId}: golden vector missed by ${furthest}, at most ${golden.tolerance}`);
}

function readingsOf({ readings }: GoldenCase): Readings {
  const values = Object.entries(readings.values).map(([name, column]) => [
    name,
    Float64Array.from(column, (value) => value ?? Number.NaN),
  ]);
  return { at: Float64Array.from(readings.at), values: Object.fromEntries(values) };
}

function firstIssue(error: { issues: { path: PropertyKey[]; message: string }[] }): string {
  const issue = error.issues[0];
  return issue ? `${issue.path.join(".") || "whole"}: ${issue.message}` : "not valid";
}

function refuse(message: string): Verdict {
  return { ok: false, message };
}
