import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { AppError } from "../../../core/errors.ts";

const run = promisify(execFile);

/**
 * What a running or killed Postgres left in postmaster.pid; `status` is "starting", "ready", "standby" or "stopping".
 */
export type PidFile = { pid: number; status: string };

/** Reads a cluster's postmaster.pid; null where there is none or it is not readable as one. */
export async function readPidFile(directory: string): Promise<PidFile | null> {
  const text = await readFile(join(directory, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0 ? { pid, status: (lines[7] ?? "").trim() } : null;
}

/**
 * Ends a server that a killed process left running on `directory`, and removes its postmaster.pid. The pid alone proves
 * nothing, as it may belong to another program by now: only a process started with this very directory is touched.
 */
export async function stopOrphan(directory: string): Promise<void> {
  const found = await readPidFile(directory);
  const file = join(directory, "postmaster.pid");
  if (found === null || !(await isServerOf(found.pid, directory))) {
    await rm(file, { force: true });
    return;
  }
  const steps: [NodeJS.Signals, number][] = [
    ["SIGINT", 10_000],
    ["SIGQUIT", 10_000],
    ["SIGKILL", 5_000],
  ];
  for (const [signal, patienceMs] of steps) {
    send(found.pid, signal);
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 20) {
      if (!(await isServerOf(found.pid, directory))) {
        await rm(file, { force: true });
        return;
      }
      await sleep(20);
    }
  }
  throw new AppError("internal", `Postgres ${found.pid} still runs on ${directory} and does not end: end it by hand`);
}

/** True while a process with this id exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function isServerOf(pid: number, directory: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const args = (await commandLine(pid)) ?? [];
  return args.some((argument, i) => argument === "-D" && args[i + 1] === directory);
}

/** The arguments of a process: from /proc, or from ps where there is none; null when it is gone (or a zombie). */
async function commandLine(pid: number): Promise<string[] | null> {
  if (process.platform === "linux") {
    const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    return text === "" ? null : text.split("\0");
  }
  const answer = await run("ps", ["-o", "args=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  const [, ...rest] = answer.stdout.trim().split(" -D ");
  return rest.length === 0 ? null : ["-D", rest.join(" -D ")];
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone in the meantime: what was wanted.
  }
}
