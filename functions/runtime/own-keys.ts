import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/environment.ts";

/** The configuration with the keys that nobody has set: on one machine they are made once and lie in DATA_DIR. */
export async function withOwnKeys(config: Config): Promise<Config> {
  const { dataDir } = config;
  return {
    ...config,
    alertSecretKey: config.alertSecretKey ?? (await keyIn(dataDir, "alert.key")),
    shareSecretKey: config.shareSecretKey ?? (await keyIn(dataDir, "share.key")),
  };
}

async function keyIn(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  const known = await readFile(path, "utf8").catch(() => null);
  if (known !== null) return known.trim();
  await mkdir(folder, { recursive: true });
  const made = randomBytes(32).toString("base64url");
  await writeFile(path, `${made}\n`, { mode: 0o600, flag: "wx" }).catch(() => undefined);
  return (await readFile(path, "utf8")).trim();
}
