import { execFile } from "node:child_process";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { AppError } from "../../../core/errors.ts";
import { isAlive } from "./orphan.ts";

const run = promisify(execFile);

/** Gives the folder back. */
export type Lock = { release(): Promise<void> };

/**
 * Takes `folder` for this process; a lock left by a process that is gone is taken over. Throws conflict, naming the
 * process, while another one runs on it.
 */
export async function lockFolder(folder: string): Promise<Lock> {
  const path = join(folder, "lock");
  const mine = `${path}.${process.pid}`;
  const identity = `${process.pid} ${await startOf(process.pid)}\n`;
  await writeFile(mine, identity, { mode: 0o644 });
  try {
    while (!(await tryLink(mine, path))) await removeStale(path, folder);
  } finally {
    await rm(mine, { force: true });
  }
  return {
    async release() {
      if ((await read(path)) === identity) await rm(path, { force: true });
    },
  };
}

/** Atomic: of several who try at once one succeeds. */
async function tryLink(from: string, to: string): Promise<boolean> {
  return link(from, to).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
      throw error;
    },
  );
}

async function removeStale(path: string, folder: string): Promise<void> {
  const found = await read(path);
  if (found === null) return;
  const pid = Number(found.split(" ")[0]);
  if (pid > 0 && isAlive(pid) && found === `${pid} ${await startOf(pid)}\n`) {
    throw new AppError(
      "conflict",
      `${folder} is in use by process ${pid}: stop that one first, or give this one another DATA_DIR (and PORT)`,
    );
  }
  // Moved and looked at again: between the check and now somebody else may have taken the lock over.
  const aside = `${path}.stale.${process.pid}`;
  await rename(path, aside).catch(() => undefined);
  if ((await read(aside)) !== found) await tryLink(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

async function read(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(() => null);
}

/** When a process began, in whatever unit the system has: a pid that was given out again is another process. */
async function startOf(pid: number): Promise<string> {
  if (process.platform === "linux") {
    const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    // The name in parentheses may hold spaces; the start time is the 20th field after it.
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  }
  const answer = await run("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  return answer.stdout.trim();
}
