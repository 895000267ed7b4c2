import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "..");

/** `npm start`'s process without the build. `line` resolves with the first log line of that event, also a past one. */
export type LocalProcess = {
  url: string;
  pid: number;
  line(event: string): Promise<Record<string, unknown>>;
  get(path: string): Promise<Response>;
  /** The processes that it has started beside itself, as they are now. */
  processes(): Promise<{ api: number; workers: number }>;
  /** Resolves with the exit code, or the signal that ended it. */
  stop(signal?: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<number | string>;
};

export type EndedProcess = { code: number | null; stdout: string; stderr: string };

function spawnLocal(environment: Record<string, string>) {
  const env = { PATH: process.env.PATH, PORT: "0", LOG_FORMAT: "json", ...environment };
  const child = spawn(process.execPath, ["functions/local.ts"], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  const stderr: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr.push(text));
  const exited = new Promise<number | string>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? signal ?? 1)),
  );
  return { child, stderr, exited };
}

/** Starts it and resolves once it listens. Rejects with what it wrote when it ends before. */
export async function startLocal(environment: Record<string, string>): Promise<LocalProcess> {
  const { child, stderr, exited } = spawnLocal(environment);
  const lines: Record<string, unknown>[] = [];
  const waiting = new Map<string, PromiseWithResolvers<Record<string, unknown>>>();
  createInterface(child.stdout).on("line", (text) => {
    if (!text.startsWith("{")) return;
    const line: Record<string, unknown> = JSON.parse(text);
    lines.push(line);
    waiting.get(String(line.event))?.resolve(line);
  });
  const line = (event: string) => {
    const past = lines.find((one) => one.event === event);
    if (past) return Promise.resolve(past);
    const wait = waiting.get(event) ?? Promise.withResolvers<Record<string, unknown>>();
    waiting.set(event, wait);
    return wait.promise;
  };
  const early = exited.then((code) => {
    throw new Error(`ended with ${code}: ${stderr.join("")}${JSON.stringify(lines.slice(-3))}`);
  });
  const { url } = await Promise.race([line("system.started"), early]);
  early.catch(() => {});
  return {
    url: String(url),
    pid: child.pid ?? 0,
    line,
    get: (path) => fetch(`${url}${path}`),
    async processes() {
      const found = await childrenOf(child.pid ?? 0);
      const pidOf = (name: string) => found.find(({ command }) => command.includes(`/processes/${name}.ts`))?.pid ?? 0;
      return { api: pidOf("api"), workers: pidOf("workers") };
    },
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      return exited;
    },
  };
}

async function childrenOf(parent: number): Promise<{ pid: number; command: string }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
      const [stat, command] = await Promise.all([read("stat"), read("cmdline")]);
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return { pid: Number(pid), parent: Number(fields[1]), command };
    }),
  );
  return found.filter((one) => one.parent === parent);
}

/** Runs it to its end: for starts that are refused. */
export async function runLocal(environment: Record<string, string>): Promise<EndedProcess> {
  const { child, stderr, exited } = spawnLocal(environment);
  const stdout: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout.push(text));
  await exited;
  return { code: child.exitCode, stdout: stdout.join(""), stderr: stderr.join("") };
}
