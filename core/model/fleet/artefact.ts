import * as z from "zod";
import { AppError } from "../../errors.ts";
import { sha256Of } from "../sha256.ts";
import { digestOf } from "./digest.ts";
import type { ArtefactFiles } from "./files.ts";
import { FleetManifest } from "./manifest.ts";
import { fleetMisfitOf } from "./soundness.ts";

/** Files of a fleet version, in the order in which they are written: without a manifest there is none. */
const fileNames = ["fleet.onnx", "golden.safetensors", "manifest.json"] as const;

/**
 * A version of a fleet's network: graph, golden vectors (the graph's inputs for some rows, and what the training engine
 * made of them) and manifest. `digest` covers all three; it is what the registry keeps.
 */
export type FleetArtefact = { manifest: FleetManifest; onnx: Uint8Array; golden: Uint8Array; digest: string };

/** A version's manifest, graph and golden vectors under one digest. */
export async function createFleetArtefact(
  manifest: FleetManifest,
  onnx: Uint8Array,
  golden: Uint8Array,
): Promise<FleetArtefact> {
  return { manifest, onnx, golden, digest: await digestOf(filesOf(manifest, onnx, golden)) };
}

/** Writes a version's files; a fleetId never changes meaning (conflict). */
export async function saveFleet(files: ArtefactFiles, { manifest, onnx, golden }: FleetArtefact): Promise<void> {
  const contents = filesOf(manifest, onnx, golden);
  for (const name of fileNames) await files.write(`fleets/${manifest.fleetId}/${name}`, contents[name]);
}

/**
 * A version's files, whose digest is the registered one. Throws notFound, or artefactRejected before anything is
 * parsed.
 */
export async function loadFleet(files: ArtefactFiles, fleetId: string, digest: string): Promise<FleetArtefact> {
  const read = await Promise.all(fileNames.map((name) => files.read(`fleets/${fleetId}/${name}`)));
  const missing = fileNames.find((_, i) => read[i] === null);
  if (missing) throw new AppError("notFound", `fleet ${fleetId}: ${missing} is not in the model store`);
  const contents = Object.fromEntries(fileNames.map((name, i) => [name, read[i]])) as Record<FileName, Uint8Array>;
  const actual = await digestOf(contents);
  if (actual !== digest) {
    throw new AppError("artefactRejected", `fleet ${fleetId}: files have digest ${actual}, ${digest} is registered`);
  }
  const manifest = parseManifest(fleetId, contents["manifest.json"]);
  return { manifest, onnx: contents["fleet.onnx"], golden: contents["golden.safetensors"], digest };
}

const priorOf = (fleetId: string) => `fleets/${fleetId}/prior.safetensors`;

/** Writes what the version's manifest names as its prior. */
export async function savePrior(files: ArtefactFiles, fleetId: string, prior: Uint8Array): Promise<void> {
  await files.write(priorOf(fleetId), prior);
}

/** The prior that the version's manifest names, null where it names none. Throws notFound or artefactRejected. */
export async function loadPrior(
  files: ArtefactFiles,
  { fleetId, prior }: Pick<FleetManifest, "fleetId" | "prior">,
): Promise<Uint8Array | null> {
  if (prior === undefined) return null;
  const bytes = await files.read(priorOf(fleetId));
  if (bytes === null) throw new AppError("notFound", `fleet ${fleetId}: its prior is not in the model store`);
  const actual = await sha256Of(bytes);
  if (actual === prior) return bytes;
  throw new AppError(
    "artefactRejected",
    `fleet ${fleetId}: its prior has sha256 ${actual}, its manifest says ${prior}`,
  );
}

type FileName = (typeof fileNames)[number];

function filesOf(manifest: FleetManifest, onnx: Uint8Array, golden: Uint8Array): Record<FileName, Uint8Array> {
  const text = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  return { "fleet.onnx": onnx, "golden.safetensors": golden, "manifest.json": text };
}

function parseManifest(fleetId: string, bytes: Uint8Array): FleetManifest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new AppError("artefactRejected", `fleet ${fleetId}: manifest.json is not JSON`, { cause: error });
  }
  const parsed = FleetManifest.safeParse(json);
  const why = parsed.success ? wrongOf(fleetId, parsed.data) : z.prettifyError(parsed.error);
  if (parsed.success && why === null) return parsed.data;
  throw new AppError("artefactRejected", `fleet ${fleetId}: manifest.json: ${why}`);
}

function wrongOf(fleetId: string, manifest: FleetManifest): string | null {
  return manifest.fleetId === fleetId ? fleetMisfitOf(manifest) : `it is that of ${manifest.fleetId}`;
}
