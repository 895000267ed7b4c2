import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { Agent, get } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OpsResponse } from "../../functions/api/contract/ops.ts";
import { startLocal } from "../local-process.ts";

// npm run bench:load: the whole system on demo data; slow bodies and heavy readers, each from an address of its own,
// for a minute. Prints what light reads took, what the process and the readers used of the CPU, and whether a cycle
// missed its slot.
const seconds = Number(process.argv[2] ?? 60);
const slowBodies = 64;
const heavyReaders = 80;
const lightEveryMs = 200;

const folder = await mkdtemp(join(tmpdir(), "iot-lstm-load-"));
const system = await startLocal({ DATA_DIR: folder, DEMO_SPEED: "60" });
const { port } = new URL(system.url);
const stopping = new AbortController();

/** Seconds of CPU that a process and all that it started have used. */
async function cpuSeconds(root: number): Promise<number> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => null)));
  const parents = new Map<number, { parent: number; seconds: number }>();
  for (const [i, stat] of stats.entries()) {
    const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields === undefined) continue;
    parents.set(Number(pids[i]), {
      parent: Number(fields[1]),
      seconds: (Number(fields[11]) + Number(fields[12])) / 100,
    });
  }
  const isOurs = (pid: number): boolean => pid === root || (parents.has(pid) && isOurs(parents.get(pid)!.parent));
  return [...parents].reduce((sum, [pid, { seconds }]) => (pid > 1 && isOurs(pid) ? sum + seconds : sum), 0);
}

/**
 * `cpuMs`: what the whole system used of the CPU meanwhile; on a machine that is otherwise idle nobody waits longer.
 */
type Taken = { status: number; ms: number; cpuMs?: number };

function ask(agent: Agent, localAddress: string, path: string): Promise<Taken> {
  const beganMs = performance.now();
  return new Promise((resolve) => {
    const done = (status: number) => resolve({ status, ms: performance.now() - beganMs });
    const request = get({ agent, port, localAddress, path, host: "127.0.0.1" }, (answer) => {
      answer.resume().on("end", () => done(answer.statusCode ?? 0));
    });
    request.on("error", () => done(0));
  });
}

async function repeat(address: string, pathOf: (round: number) => string, pauseMs: number): Promise<Taken[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const taken: Taken[] = [];
  for (let round = 0; !stopping.signal.aborted; round++) {
    const one = await ask(agent, address, pathOf(round));
    taken.push(one);
    await sleep(one.status === 200 ? pauseMs : Math.max(pauseMs, 250));
  }
  agent.destroy();
  return taken;
}

async function readLightly(): Promise<Taken[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const taken: Taken[] = [];
  while (!stopping.signal.aborted) {
    const began = await cpuSeconds(system.pid);
    const one = await ask(agent, "127.0.1.1", "/v1/sensors/room5");
    taken.push({ ...one, cpuMs: 1000 * ((await cpuSeconds(system.pid)) - began) });
    await sleep(lightEveryMs);
  }
  agent.destroy();
  return taken;
}

/** Sends a body of which one byte comes now and the rest never; begins again when the server hangs up. */
async function sendSlowly(address: string): Promise<number> {
  let refused = 0;
  while (!stopping.signal.aborted) {
    const socket: Socket = connect({ port: Number(port), host: "127.0.0.1", localAddress: address });
    socket.write(
      `POST /v1/forecasts HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{`,
    );
    await new Promise<void>((resolve) => {
      socket.on("data", () => refused++);
      socket.on("close", () => resolve());
      socket.on("error", () => resolve());
      stopping.signal.addEventListener("abort", () => socket.destroy(), { once: true });
    });
  }
  return refused;
}

const heavyPaths = [
  "/v1/sensors?limit=200",
  "/v1/sensors/room1/forecasts?limit=100",
  "/v1/sensors/room2/accuracy?group_by=lead",
  "/v1/sensors/room3/readings",
];
const quantile = (values: number[], q: number) =>
  Math.round(
    values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN,
  );
const count = (taken: Taken[]) => {
  const counts: Record<string, number> = {};
  for (const { status } of taken) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};
const ops = async () => OpsResponse.parse(await (await system.get("/v1/ops")).json());

const before = await ops();
const used = { system: await cpuSeconds(system.pid), readers: process.cpuUsage().user / 1e6 };
const light = readLightly();
const heavy = Array.from({ length: heavyReaders }, (_, i) =>
  repeat(`127.0.2.${i + 1}`, (round) => heavyPaths[(i + round) % 4]!, 0),
);
const slow = Array.from({ length: slowBodies }, (_, i) => sendSlowly(`127.0.3.${i + 1}`));
await sleep(seconds * 1000);
stopping.abort();
const [lights, heavies, slows] = await Promise.all([
  light,
  Promise.all(heavy).then((all) => all.flat()),
  Promise.all(slow),
]);
const took = lights.filter(({ status }) => status === 200).map(({ ms }) => ms);
const cpu = lights.filter(({ status }) => status === 200).map(({ cpuMs = 0 }) => cpuMs);
// The last cycle's outcomes may still be on their way.
await sleep(12_000);
const after = await ops();
const slots = after.cycles.filter(({ slot }) => slot > (before.cycles[0]?.slot ?? ""));
const missed = slots.filter((cycle) => cycle.issued + cycle.baseline < 9 || cycle.expired > 0);
const between = slots.slice(1).map(({ slot }, i) => Date.parse(slots[i]!.slot) - Date.parse(slot));
console.log(
  JSON.stringify(
    {
      seconds,
      light: {
        statuses: count(lights),
        p50Ms: quantile(took, 0.5),
        p99Ms: quantile(took, 0.99),
        mostMs: quantile(took, 1),
        p50CpuMs: quantile(cpu, 0.5),
        p99CpuMs: quantile(cpu, 0.99),
      },
      heavy: {
        statuses: count(heavies),
        p50Ms: quantile(
          heavies.map(({ ms }) => ms),
          0.5,
        ),
      },
      slowBodiesRefused: slows.reduce((sum, one) => sum + one, 0),
      cycles: {
        seen: slots.length,
        missed: missed.length,
        skippedSlots: between.filter((gap) => gap > 600_000).length,
      },
      cpuSeconds: {
        system: (await cpuSeconds(system.pid)) - used.system,
        readers: process.cpuUsage().user / 1e6 - used.readers,
      },
    },
    null,
    2,
  ),
);
await system.stop();
await rm(folder, { recursive: true, force: true });
