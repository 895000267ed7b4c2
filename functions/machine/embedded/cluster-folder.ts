import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../core/errors.ts";
import type { Account } from "./account.ts";

const version = "18";

/** True when `directory` holds a cluster that was made whole. */
export async function hasCluster(directory: string): Promise<boolean> {
  return stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Throws misconfigured when the cluster is of another Postgres or belongs to somebody else, and says what to do. */
export async function assertUsable(directory: string, account: Account): Promise<void> {
  const owner = (await stat(directory)).uid;
  const runner = account?.uid ?? process.getuid?.() ?? owner;
  if (owner !== runner) {
    throw new AppError(
      "misconfigured",
      `${directory} belongs to user ${owner}, but Postgres would run as user ${runner}: start as root or as that user, ` +
        "or set another DATA_DIR",
    );
  }
  const found = (await readFile(join(directory, "PG_VERSION"), "utf8")).trim();
  if (found !== version) {
    throw new AppError(
      "misconfigured",
      `${directory} was made by Postgres ${found}, and this is ${version}: dump and restore it, or remove the folder`,
    );
  }
}
