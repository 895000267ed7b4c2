import * as z from "zod";
import { AppError } from "../../core/errors.ts";
import { isSameArtefact } from "../../core/model/artefact-digest.ts";
import { type Artefact, GoldenVector, ModelManifest } from "../../core/model/manifest.ts";
import { mostBytes } from "../../core/model/size-limits.ts";

/** The files of an artefact, wherever they lie. */
export const artefactFiles = { onnx: "model.onnx", manifest: "manifest.json", golden: "golden.json" } as const;
/** Beside them where a publisher has signed them; it may come later. */
export const signatureFile = "signature.txt";

/** An artefact from the bytes of its three files; throws artefactRejected naming the file and what is wrong in it. */
export function parseArtefact(
  name: string,
  files: { onnx: Uint8Array; manifest: string; golden: string; signature: string | null },
): Artefact {
  return {
    ...(files.signature === null ? {} : { signature: files.signature.trim() }),
    onnx: files.onnx,
    manifest: parseJson(name, artefactFiles.manifest, files.manifest, ModelManifest),
    golden: parseJson(name, artefactFiles.golden, files.golden, GoldenVector),
  };
}

/**
 * A modelId is also a folder's name and part of a key: what does not match the manifest's pattern is refused as
 * badInput.
 */
export function checkModelId(modelId: string): string {
  if (ModelManifest.shape.modelId.safeParse(modelId).success) return modelId;
  throw new AppError("badInput", `${JSON.stringify(modelId.slice(0, 64))} is not a model id`);
}

/** A path of folders and a file, of the characters of a modelId; others are refused as badInput. */
export function checkPath(path: string): string[] {
  const names = path.split("/");
  if (names.length > 1 && names.length < 5) return names.map(checkModelId);
  throw new AppError("badInput", `${JSON.stringify(path.slice(0, 64))} is not the path of a file in the model store`);
}

/** Throws artefactRejected for a file that is larger than one of its name may be. */
export function checkSize(path: string, bytes: number): void {
  const most = mostBytes(path.split("/").at(-1)!);
  if (bytes > most) throw new AppError("artefactRejected", `${path} has ${bytes} bytes, at most ${most}`);
}

/** Throws conflict when a file is there with other bytes. */
export function checkSameBytes(path: string, known: Uint8Array, bytes: Uint8Array): void {
  if (Buffer.compare(known, bytes) === 0) return;
  const text = `${path} exists with ${known.length} other bytes, not these ${bytes.length}; a path never changes its bytes`;
  throw new AppError("conflict", text);
}

/** Throws conflict when the store already has other files under the artefact's id. */
export async function checkSame(known: Artefact, artefact: Artefact): Promise<void> {
  if (await isSameArtefact(known, artefact)) return;
  const { modelId, modelSha256 } = artefact.manifest;
  const text = `model ${modelId} exists with other files (graph ${known.manifest.modelSha256}, now ${modelSha256}); a modelId never changes`;
  throw new AppError("conflict", text);
}

function parseJson<T>(name: string, file: string, text: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new AppError("artefactRejected", `${name}/${file} is not JSON`, { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new AppError("artefactRejected", `${name}/${file}: ${z.prettifyError(parsed.error)}`);
}
