import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

/** What the embedded databases must remember between starts: passwords and, so that URLs stay the same, ports. */
export const EmbeddedState = z.object({
  passwords: z.object({ postgres: z.string(), reader: z.string() }),
  ports: z.object({
    main: z.int().optional(),
    follower: z.int().optional(),
    predictor: z.int().optional(),
  }),
});
export type EmbeddedState = z.infer<typeof EmbeddedState>;

/** The remembered state, or a new one with random passwords. Throws when the file is there and not readable as such. */
export async function readState(folder: string): Promise<EmbeddedState> {
  const text = await readFile(file(folder), "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  });
  if (text !== null) return EmbeddedState.parse(JSON.parse(text));
  const password = () => randomBytes(18).toString("base64url");
  return { passwords: { postgres: password(), reader: password() }, ports: {} };
}

/** Whole or not at all, readable for us alone. */
export async function writeState(folder: string, state: EmbeddedState): Promise<void> {
  const building = `${file(folder)}.new`;
  await writeFile(building, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(building, file(folder));
}

function file(folder: string): string {
  return join(folder, "embedded.json");
}
