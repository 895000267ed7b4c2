import { execFile } from "node:child_process";
import { chown, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { AppError } from "../../../core/errors.ts";
import { type Account, commandAs } from "./account.ts";
import { type Binaries, binariesFolder } from "./binaries.ts";

const run = promisify(execFile);

/**
 * Makes a new cluster in `directory`, owned by `account`, with the superuser "postgres" and that password.
 * Whole or not at all: it is built beside and renamed. Nothing is synced; a crash right after may lose it, not damage
 * it.
 */
export async function createCluster(options: {
  directory: string;
  password: string;
  account: Account;
  binaries: Binaries;
}): Promise<void> {
  const { directory, password, account, binaries } = options;
  const building = `${directory}.new`;
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { mode: 0o700 });
  const data = join(building, "data");
  const passwordFile = join(building, "password");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account) await Promise.all([building, passwordFile].map((path) => chown(path, account.uid, account.gid)));
  const args = [
    `--pgdata=${data}`,
    "--username=postgres",
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--wal-segsize=4",
    "--no-sync",
    "--no-instructions",
  ];
  const {
    program,
    args: all,
    ...ids
  } = await commandAs(account, [building, binariesFolder(binaries)], binaries.initdb, args);
  try {
    await run(program, all, { ...ids, cwd: building, env: { LC_ALL: "C" } });
  } catch (error) {
    throw new AppError("internal", `initdb failed in ${directory}: ${message(error)}`, { cause: error });
  }
  await rename(data, directory);
  await rm(building, { recursive: true });
}

/** Copies a cluster that is not running, with owners and permissions. Whole or not at all. */
export async function copyCluster(from: string, to: string): Promise<void> {
  const building = `${to}.new`;
  await rm(building, { recursive: true, force: true });
  await run("cp", ["-a", from, building]);
  await rm(join(building, "postmaster.pid"), { force: true });
  await rename(building, to);
}

function message(error: unknown): string {
  const stderr = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
  return stderr || (error instanceof Error ? error.message : String(error));
}
