import * as z from "zod";
import { AppError } from "../../core/errors.ts";
import type { FleetArtefact } from "../../core/model/fleet/artefact.ts";
import { decodeGolden } from "../../core/model/fleet/golden.ts";
import type { Artefact } from "../../core/model/manifest.ts";
import type { ModelInput, ModelOutput } from "../../core/model/tensors.ts";
import { type Verdict, verifyArtefact } from "../../core/model/verify.ts";
import { largestFleetBatch, openFleetSession } from "./onnx-fleet-session.ts";
import { largestBatch, type OnnxSession, openSession } from "./onnx-session.ts";

/** What is to be proved: a model of one sensor, or a fleet's version. */
export type ProofTask = { kind: "model"; artefact: Artefact } | { kind: "fleet"; artefact: FleetArtefact };

const Refusal = z.object({ ok: z.literal(false), message: z.string() });
/** What a process that proved something says, once: its verdict, or why it has none. */
export const ProofAnswer = z.union([
  z.object({ verdict: z.union([z.object({ ok: z.literal(true) }), Refusal]) }),
  z.object({ fault: z.string() }),
]);
export type ProofAnswer = z.infer<typeof ProofAnswer>;

/**
 * Whether an artefact may serve: everything that is looked at when it is loaded, its golden vectors answered in batches
 * as large as serving's, which cost what it will ever cost at once. Runs in this thread.
 */
export async function proveHere(task: ProofTask): Promise<Verdict> {
  try {
    return task.kind === "model" ? await proveModel(task.artefact) : await proveFleet(task.artefact);
  } catch (error) {
    if (error instanceof AppError && error.code === "artefactRejected") return { ok: false, message: error.message };
    throw error;
  }
}

async function proveModel(artefact: Artefact): Promise<Verdict> {
  let session: OnnxSession | undefined;
  const run = async (input: ModelInput): Promise<ModelOutput> => {
    session ??= await openSession(artefact.onnx, artefact.manifest);
    const outputs = await session.run(Array<ModelInput>(largestBatch).fill(input));
    return outputs.find((output) => !output.ok) ?? outputs.at(-1)!;
  };
  try {
    return await verifyArtefact(artefact, run);
  } finally {
    await session?.release();
  }
}

async function proveFleet(artefact: FleetArtefact): Promise<Verdict> {
  const { fleetId, graph } = artefact.manifest;
  const session = await openFleetSession(artefact);
  try {
    await session.answerGolden(artefact.golden);
    const { rows } = decodeGolden(fleetId, artefact.golden, graph);
    const batch = Array.from({ length: largestFleetBatch }, (_, i) => rows[i % rows.length]!);
    const failed = (await session.run(batch)).find((answer) => !answer.ok);
    return failed && !failed.ok ? { ok: false, message: `fleet ${fleetId}: ${failed.message}` } : { ok: true };
  } finally {
    await session.release();
  }
}
