import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { seedFleet } from "./api/fleet.ts";
import { startApiProcess } from "./api/process.ts";

// npm run bench:api -- [sensors] [seconds]: the API's process of `npm start` over a seeded database and a real source.
// Prints requests a second, CPU of the API a request, and what waiting there was, for 1 and 8 clients, quiet and while
// a cycle is stored; then the fleet page's list: bytes and CPU of first page, search, sort and refresh.
const sensors = Number(process.argv[2] ?? 10_000);
const seconds = Number(process.argv[3] ?? 4);

const fleet = await seedFleet(sensors);
const server = await startApiProcess(fleet.url);
const { port } = server;

type Taken = { status: number; ms: number; bytes: number; headers: IncomingHttpHeaders };

function get(agent: Agent, path: string, headers: Record<string, string> = {}): Promise<Taken> {
  const beganMs = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request({ agent, port, host: "127.0.0.1", path, headers }, (answer) => {
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => (bytes += chunk.length));
      answer.on("end", () => {
        const { statusCode: status = 0, headers } = answer;
        resolve({ status, ms: performance.now() - beganMs, bytes, headers });
      });
    });
    asked.on("error", reject);
    asked.end();
  });
}

const quantile = (values: number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? 0;
const round = (value: number) => Math.round(value * 1000) / 1000;

/** `clients` that ask one request after the other for a while. */
async function measure(clients: number, pathOf: (round: number) => string, headers: Record<string, string> = {}) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  await get(agent, pathOf(0), headers);
  const cpuBefore = server.cpuMs();
  const endMs = performance.now() + seconds * 1000;
  let count = 0;
  const taken = await Promise.all(
    Array.from({ length: clients }, async () => {
      const own: Taken[] = [];
      while (performance.now() < endMs) own.push(await get(agent, pathOf(count++), headers));
      return own;
    }),
  );
  const all = taken.flat();
  const cpuMs = server.cpuMs() - cpuBefore;
  agent.destroy();
  const statuses: Record<string, number> = {};
  for (const { status } of all) statuses[status] = (statuses[status] ?? 0) + 1;
  const ms = all.map((one) => one.ms);
  return {
    ...{ clients, requestsPerSecond: Math.round(all.length / seconds), statuses },
    ...{ cpuMsPerRequest: round(cpuMs / all.length), perCpuSecond: Math.round((1000 * all.length) / cpuMs) },
    ...{ p50Ms: round(quantile(ms, 0.5)), p99Ms: round(quantile(ms, 0.99)) },
  };
}

/** One request, with what API and database used of the CPU for it. */
async function one(path: string, headers: Record<string, string> = { "Accept-Encoding": "gzip" }) {
  const agent = new Agent({ keepAlive: true });
  const before = { api: server.cpuMs(), postgres: fleet.postgresCpuMs() };
  const { status, bytes, headers: given } = await get(agent, path, headers);
  const cpuMs = { api: server.cpuMs() - before.api, postgres: fleet.postgresCpuMs() - before.postgres };
  agent.destroy();
  return { path, status, bytes, cpuMs: { api: round(cpuMs.api), postgres: round(cpuMs.postgres) }, etag: given.etag };
}

const page = "/v1/sensors?view=fleet&sort=attention&offset=0&limit=50";
// The first request of a process pays for compiling it.
for (let i = 0; i < 20; i++) await one(`/v1/sensors?view=fleet&q=sensor-${i}&limit=50`);
const first = await one(page);
const list = {
  first,
  search: await one("/v1/sensors?view=fleet&q=123&sort=attention&offset=0&limit=50"),
  sort: await one("/v1/sensors?view=fleet&sort=-skill&offset=0&limit=50"),
  scrolled: await one("/v1/sensors?view=fleet&sort=attention&offset=5000&limit=50"),
  unchanged: await one(page, { "Accept-Encoding": "gzip", "If-None-Match": String(first.etag) }),
  summary: await one("/v1/sensors?limit=200"),
  ready: await one("/readyz"),
  refreshed: await fleet.storeShard().then(() => sleep(1_100).then(() => one(page))),
};
const light = ["/healthz", "/v1/sensors/sensor-7", page];
const paths: Record<string, unknown> = {};
for (const path of light) paths[path] = [await measure(1, () => path), await measure(8, () => path)];
const { etag } = await one(page);
paths["304"] = [await measure(1, () => page, { "Accept-Encoding": "gzip", "If-None-Match": String(etag) })];

const cycle = fleet.storeShards();
const duringCycle = {
  healthz: await measure(8, () => "/healthz"),
  sensors: await measure(8, (round) => `/v1/sensors/sensor-${(round % 50) + 1}`),
};
await cycle.stop();

const bulkBefore = server.memoryBytes();
const agent = new Agent();
const bulk = await get(agent, "/v1/forecasts");
agent.destroy();
const bulkMemory = server.memoryBytes() - bulkBefore;
console.log(
  JSON.stringify(
    {
      ...{ sensors, list, paths, duringCycle },
      bulk: { bytes: bulk.bytes, seconds: round(bulk.ms / 1000), grownMegabytes: round(bulkMemory / 1e6) },
    },
    null,
    2,
  ),
);
await server.stop();
await fleet.stop();
