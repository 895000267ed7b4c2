import { digestOf } from "./fleet/digest.ts";
import type { Artefact, ModelManifest } from "./manifest.ts";

/**
 * One SHA-256 over graph, manifest and golden vector: what the registry keeps, and what has to agree before a model
 * serves. The order of keys does not count, as a database changes it, nor does what a schema does not know, as nothing
 * reads it.
 */
export function artefactDigest({ onnx, manifest, golden }: Artefact): Promise<string> {
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value, sortKeys));
  return digestOf({ "model.onnx": onnx, "manifest.json": bytes(manifest), "golden.json": bytes(golden) });
}

function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The text of the two JSON files; the same artefact gives the same text. */
export function printArtefact({ manifest, golden }: Artefact): { manifest: string; golden: string } {
  return { manifest: `${JSON.stringify(manifest, null, 2)}\n`, golden: `${JSON.stringify(golden)}\n` };
}

/**
 * Whether two artefacts are one: alike in all but the moment and the time it took to make them, so that a training that
 * is repeated may be stored again.
 */
export async function isSameArtefact(a: Artefact, b: Artefact): Promise<boolean> {
  const [left, right] = await Promise.all(
    [a, b].map((one) => artefactDigest({ ...one, manifest: timeless(one.manifest) })),
  );
  return left === right;
}

function timeless(manifest: ModelManifest): ModelManifest {
  return { ...manifest, createdAt: "", training: { ...manifest.training, cpuSeconds: 0 } };
}
