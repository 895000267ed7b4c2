import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pLimit from "p-limit";
import { AppError } from "../../core/errors.ts";
import type { Verdict } from "../../core/model/verify.ts";
import { ProofAnswer, type ProofTask, proveHere } from "./proof-here.ts";

/** What a proof may take; a whole process's memory. `wallSeconds` is for machines that do not say what was used. */
export type ProofLimits = { cpuSeconds: number; megabytes: number; wallSeconds: number };

/** A fleet's version takes half a second and 150 MB of it, Node and ONNX Runtime included. */
const usual: ProofLimits = { cpuSeconds: 20, megabytes: 512, wallSeconds: 300 };

const childFile = fileURLToPath(new URL("./proof-child.ts", import.meta.url));
const lookEveryMs = 20;
/** Linux counts CPU time in hundredths of a second for those who read /proc. */
const ticksPerSecond = 100;

export type Prove = (task: ProofTask) => Promise<Verdict>;

/**
 * Proves artefacts in a process of its own, one at a time: its code is native, takes what it takes without a break and
 * may fall over, and nobody else pays for that. It has no environment, so no secrets. What takes more than the limits
 * is refused with what it took. In a bundle, where there is no file to start, it is proved in the calling thread: there
 * the function is the process, with limits that AWS sets.
 */
export function provingProcess(limits: ProofLimits = usual): Prove {
  const one = pLimit(1);
  return (task) => one(() => (existsSync(childFile) ? proveInChild(task, limits) : proveHere(task)));
}

async function proveInChild(task: ProofTask, limits: ProofLimits): Promise<Verdict> {
  const child = fork(childFile, {
    env: {},
    execArgv: [`--max-old-space-size=${limits.megabytes}`],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const watching = new AbortController();
  try {
    const answered = answerOf(child, nameOf(task));
    child.send(task);
    return await Promise.race([answered, excessOf(child, task, limits, watching.signal)]);
  } finally {
    watching.abort();
    child.kill("SIGKILL");
  }
}

function answerOf(child: ChildProcess, name: string): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const fault = (text: string, cause?: unknown) =>
      reject(new AppError("internal", `${name} could not be verified: ${text}`, { cause }));
    child.once("message", (message) => {
      const answer = ProofAnswer.safeParse(message);
      if (!answer.success) fault("its answer is none");
      else if ("fault" in answer.data) fault(answer.data.fault);
      else resolve(answer.data.verdict);
    });
    // More than one may come, as when it dies while it is being told what to do.
    child.on("error", (error) => fault(error.message, error));
    child.once("exit", (code, signal) => {
      // ONNX Runtime or the heap gave up: that is the model's doing, and here is where it was to happen.
      resolve({ ok: false, message: `${name}: verifying it ended the process (${signal ?? `code ${code}`})` });
    });
  });
}

/** Resolves with a refusal when the child has taken more than it may. */
async function excessOf(
  child: ChildProcess,
  task: ProofTask,
  { cpuSeconds, megabytes, wallSeconds }: ProofLimits,
  signal: AbortSignal,
): Promise<Verdict> {
  const refused = (what: string): Verdict => ({
    ok: false,
    message: `${nameOf(task)}: verifying it takes more than ${what}`,
  });
  const startedAt = performance.now();
  while (!signal.aborted) {
    const used = await usageOf(child.pid);
    if (used && used.megabytes > megabytes) return refused(`${megabytes} MB of memory`);
    if (used && used.cpuSeconds > cpuSeconds) return refused(`${cpuSeconds} s of CPU`);
    if (performance.now() - startedAt > wallSeconds * 1000) return refused(`${wallSeconds} s`);
    await sleep(lookEveryMs);
  }
  return refused("it may");
}

/** What a process has taken; null where the machine does not say, or it has ended. */
async function usageOf(pid: number | undefined): Promise<{ cpuSeconds: number; megabytes: number } | null> {
  try {
    const [stat, status] = await Promise.all(
      ["stat", "status"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8")),
    );
    // After the name in brackets, which may hold anything: utime and stime are fields 14 and 15.
    const fields = stat!.slice(stat!.lastIndexOf(")") + 2).split(" ");
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status!)?.[1];
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      megabytes: Number(kilobytes) / 1024,
    };
  } catch {
    return null;
  }
}

function nameOf({ kind, artefact }: ProofTask): string {
  return kind === "model" ? artefact.manifest.modelId : `fleet ${artefact.manifest.fleetId}`;
}
