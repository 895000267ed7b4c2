import { sha256Of } from "../sha256.ts";

/** One SHA-256 over all files of an artefact, their names included, whatever their order. */
export async function digestOf(files: Record<string, Uint8Array>): Promise<string> {
  const names = Object.keys(files).sort();
  const lines = await Promise.all(names.map(async (name) => `${await sha256Of(files[name]!)} ${name}\n`));
  return sha256Of(new TextEncoder().encode(lines.join("")));
}
