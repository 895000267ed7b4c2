import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../infra/evaluate.ts";
import type { Bundle } from "./bundles.ts";
import { type Answer, startRuntimeApi } from "./runtime-api.ts";

/** AWS's own runtime client for Node. */
export const clientFile = join(import.meta.dirname, "runtime/node_modules/aws-lambda-ric/rapid-client.node");
const client = join(clientFile, "../index.mjs");
const node = join(root, "node_modules/node/bin/node");
const redirect = join(import.meta.dirname, "redirect.mjs");

/** One execution environment of a function. */
export type Lambda = {
  invoke(event: unknown): Promise<Answer>;
  /** Everything that it printed. */
  output(): string;
  usage(): Promise<{ peakBytes: number; cpuMs: number }>;
  initMs: number;
  /** Ends it at once, in the middle of whatever it does. */
  kill(): Promise<void>;
};

/**
 * Starts a bundle as Lambda does: its wrapper, runtime client, handler, environment, memory and timeout. An invocation
 * beyond the timeout ends the environment. Rejects when init fails.
 */
export async function startLambda(bundle: Bundle, environment: Record<string, string>): Promise<Lambda> {
  const api = await startRuntimeApi();
  const startedAt = performance.now();
  const wrapper = environment.AWS_LAMBDA_EXEC_WRAPPER?.replace("/var/task", bundle.folder);
  const [program, ...argv] = [...(wrapper ? [wrapper] : []), node, client, bundle.handler];
  const child = spawn(program!, argv, {
    cwd: bundle.folder,
    env: {
      AWS_LAMBDA_RUNTIME_API: api.host,
      _HANDLER: bundle.handler,
      LAMBDA_TASK_ROOT: bundle.folder,
      AWS_LAMBDA_FUNCTION_NAME: bundle.name,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(bundle.memoryMb),
      AWS_LAMBDA_LOG_GROUP_NAME: bundle.name,
      AWS_LAMBDA_LOG_STREAM_NAME: "stand-in",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "stand-in",
      AWS_SECRET_ACCESS_KEY: "stand-in",
      TZ: ":UTC",
      PATH: "/usr/bin:/bin",
      ...environment,
      // Lambda gives V8 what is left of the memory beside Node itself.
      NODE_OPTIONS: `--max-old-space-size=${Math.floor(bundle.memoryMb * 0.9)} --import=${redirect} ${environment.NODE_OPTIONS ?? ""}`,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const died = ended.then(() => {
    throw new Error(`${bundle.name} ended: ${child.signalCode ?? child.exitCode}\n${output}`);
  });
  died.catch(() => {});
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
    api.close();
  };
  try {
    await Promise.race([api.ready, died]);
  } catch (error) {
    await kill();
    throw error;
  }
  return {
    initMs: performance.now() - startedAt,
    output: () => output,
    usage: () => usageOf(child),
    kill,
    async invoke(event) {
      const timer = setTimeout(() => child.kill("SIGKILL"), bundle.timeoutSeconds * 1000);
      try {
        return await Promise.race([api.invoke(event, bundle.timeoutSeconds * 1000), died]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** Peak resident memory and the CPU time of all threads so far, from Linux's /proc. */
async function usageOf(child: ChildProcess): Promise<{ peakBytes: number; cpuMs: number }> {
  const folder = `/proc/${child.pid}`;
  const status = await readFile(`${folder}/status`, "utf8");
  const threads = await readdir(`${folder}/task`);
  const times = await Promise.all(
    threads.map(async (thread) => Number((await readFile(`${folder}/task/${thread}/schedstat`, "utf8")).split(" ")[0])),
  );
  return {
    peakBytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024,
    cpuMs: times.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6,
  };
}
