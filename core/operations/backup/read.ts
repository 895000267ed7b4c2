import * as z from "zod";
import { AppError } from "../../errors.ts";
import { sha256Of } from "../../model/sha256.ts";
import type { StoredFile } from "./manifest.ts";
import type { BackupFiles } from "./ports.ts";

/** A manifest; throws notFound where there is none, artefactRejected for one that does not parse. */
export async function readManifest<T>(files: BackupFiles, path: string, schema: z.ZodType<T>): Promise<T> {
  const bytes = await files.read(path);
  if (bytes === null) throw new AppError("notFound", `${files.place}/${path} does not exist`);
  const parsed = schema.safeParse(parseJson(bytes));
  if (parsed.success) return parsed.data;
  throw new AppError("artefactRejected", `${files.place}/${path} is no manifest: ${z.prettifyError(parsed.error)}`);
}

/** The bytes of a file; throws artefactRejected where they are gone or others than were written. */
export async function readFileOf(files: BackupFiles, { path, bytes, sha256 }: StoredFile): Promise<Uint8Array> {
  const found = await files.read(path);
  const what = `${files.place}/${path}`;
  if (found === null) throw new AppError("artefactRejected", `${what} is gone; it had ${bytes} bytes`);
  if (found.length === bytes && (await sha256Of(found)) === sha256) return found;
  throw new AppError("artefactRejected", `${what} has ${found.length} bytes that are not the ${bytes} written`);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
