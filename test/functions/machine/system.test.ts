import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { secondsBetween } from "../../../core/time.ts";
import { Problem } from "../../../functions/api/contract/common.ts";
import { FleetPage } from "../../../functions/api/contract/fleet.ts";
import { ForecastList, OnDemandResponse } from "../../../functions/api/contract/forecasts.ts";
import { ModelPage } from "../../../functions/api/contract/models.ts";
import { OpsResponse } from "../../../functions/api/contract/ops.ts";
import { Sensor } from "../../../functions/api/contract/sensors.ts";
import { type LocalProcess, runLocal, startLocal } from "../../local-process.ts";

const rooms = ["room1", "room2", "room3", "room4", "room5", "room6", "room7", "room8", "room9"];
let folder: string;
let local: LocalProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "iot-lstm-system-"));
  local = await startLocal({ DATA_DIR: folder, DEMO_SPEED: "120" });
});
afterAll(async () => {
  await local?.stop("SIGTERM");
  await rm(folder, { recursive: true, force: true });
});

async function read<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>> {
  const response = await local.get(path);
  expect(response.status, path).toBe(200);
  return schema.parse(await response.json());
}

/** Asks until the answer is as wanted. */
async function until<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  isThere: (answer: z.infer<Schema>) => boolean,
) {
  for (;;) {
    const answer = await read(path, schema);
    if (isThere(answer)) return answer;
    await sleep(50);
  }
}

const allForecast = (page: z.infer<typeof FleetPage>) =>
  page.items.length === rooms.length && page.items.every((sensor) => sensor.targets.every((target) => target.forecast));

describe("npm start with nothing configured", () => {
  it("serves the nine rooms by their own LSTMs, as new as the demo's clock", async () => {
    const { items } = await until("/v1/sensors?view=fleet", FleetPage, allForecast);
    const { now, stepSeconds } = await read("/v1/ops", OpsResponse);
    expect(items.map((sensor) => sensor.sensorId).sort()).toEqual(rooms);
    const sensors = await Promise.all(rooms.map((id) => read(`/v1/sensors/${id}`, Sensor)));
    for (const { forecast } of sensors.flatMap((sensor) => sensor.targets)) {
      expect(forecast).toMatchObject({ method: "lstm", reason: null });
      expect(forecast?.modelSha256).toMatch(/^[0-9a-f]{64}$/);
      expect(secondsBetween(new Date(forecast?.origin ?? 0), new Date(now))).toBeLessThan(3 * stepSeconds);
    }
    const { items: models } = await read("/v1/models?status=champion&limit=50", ModelPage);
    expect(models.map((model) => model.sensorId).sort()).toEqual(rooms);
  });

  it("goes on cycle after cycle, and scores them as the actuals come in", async () => {
    const ops = await until(
      "/v1/ops",
      OpsResponse,
      ({ cycles }) => cycles.filter((cycle) => cycle.issued === 9).length >= 3,
    );
    expect(ops).toMatchObject({ isDemo: true, clockSpeed: 120, sensors: 9 });
    expect(ops.source).toMatchObject({ isStandby: true, isReceiving: true, error: null });
    const path = "/v1/sensors/room1/accuracy?group_by=lead";
    while ((await (await local.get(path)).text()).includes('"overall":null')) await sleep(100);
  });

  it("works on its own database by the roles of workers and API, and reads the source without seeing queries", async () => {
    const { passwords, ports } = JSON.parse(await readFile(join(folder, "embedded.json"), "utf8"));
    const ask = async (account: string, port: number, database: string, text: string) => {
      const client = new pg.Client({ connectionString: `postgres://${account}@127.0.0.1:${port}/${database}` });
      await client.connect();
      const { rows } = await client.query(text).finally(() => client.end());
      return rows;
    };
    const sessions = await ask(
      `postgres:${passwords.postgres}`,
      ports.predictor,
      "predictor",
      "select distinct usename from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend' and application_name <> 'iot-lstm-backup' order by 1",
    );
    expect(sessions.map(({ usename }) => usename)).toEqual(["forecaster_api", "forecaster_worker"]);
    const reader = `predictor_reader:${passwords.reader}`;
    for (const port of [ports.main, ports.follower]) {
      const [seen] = await ask(
        reader,
        port,
        "main",
        `select pg_has_role('pg_monitor', 'member') or pg_has_role('pg_read_all_stats', 'member') as sees,
          (select count(*)::int from pg_stat_activity where usename <> current_user and query not like '<%' and query <> '') as texts`,
      );
      expect(seen).toEqual({ sees: false, texts: 0 });
    }
  });

  it("serves the dashboard beside the API", async () => {
    const isBuilt = await readFile(join(import.meta.dirname, "../../../web/dist/index.html")).catch(() => null);
    const response = await local.get("/");
    expect(response.status).toBe(isBuilt ? 200 : 404);
    expect((await local.get("/readyz")).status).toBe(200);
    expect((await local.get("/v1/nonsense")).headers.get("content-type")).toContain("application/problem+json");
  });

  it("counts what API and workers do, each for itself", async () => {
    const lines = (await (await local.get("/metrics")).text()).split("\n");
    const has = (start: string) => lines.some((line) => line.startsWith(start) && !line.endsWith(" 0"));
    expect(has('predictor_stage_duration_seconds_count{stage="forecast",result="ok",process="workers"}')).toBe(true);
    expect(has('predictor_request_duration_seconds_count{operation="get /readyz",status="200",process="api"}')).toBe(
      true,
    );
    for (const process of ["api", "workers"])
      expect(has(`process_resident_memory_bytes{process="${process}"}`)).toBe(true);
    expect(lines.filter((line) => line.startsWith("# TYPE nodejs_eventloop_lag_p99_seconds"))).toHaveLength(1);
  });

  it("brings back an API that died, where it was, and its forecasts go on", async () => {
    const before = await local.processes();
    const { cycles } = await read("/v1/ops", OpsResponse);
    process.kill(before.api, "SIGKILL");
    expect(await local.line("process.ended")).toMatchObject({ level: "error", process: "api", how: "SIGKILL" });
    expect(await local.line("process.back")).toMatchObject({ process: "api" });
    const newer = (ops: z.infer<typeof OpsResponse>) => (ops.cycles[0]?.slot ?? "") > (cycles[0]?.slot ?? "");
    const after = await until("/v1/ops", OpsResponse, (ops) => newer(ops) && ops.cycles[0]?.issued === 9);
    expect(after.clockSpeed).toBe(120);
    const { api, workers } = await local.processes();
    expect(workers).toBe(before.workers);
    expect(api).not.toBe(before.api);
  });

  it("answers while the workers are away, says so, and has forecasts again once they are back", async () => {
    const before = await local.processes();
    process.kill(before.workers, "SIGKILL");
    while ((await local.get("/readyz")).status !== 503) await sleep(20);
    const [ready, health, train] = await Promise.all([
      local.get("/readyz").then(async (response) => Problem.parse(await response.json())),
      local.get("/healthz"),
      fetch(`${local.url}/v1/sensors/room1:train`, { method: "POST" }),
    ]);
    expect(ready.errors).toContainEqual({ path: "workers", message: "ended (SIGKILL) and is being started again" });
    expect([health.status, train.status]).toEqual([200, 503]);
    const { now } = await read("/v1/ops", OpsResponse);
    while ((await local.get("/readyz")).status !== 200) await sleep(100);
    await until("/v1/ops", OpsResponse, ({ cycles }) => cycles.some(({ slot, issued }) => slot > now && issued === 9));
    expect((await local.processes()).api).toBe(before.api);
  });

  it("computes forecasts on demand at once, though others compute them", async () => {
    const body = JSON.stringify({ sensorIds: ["room1", "room2"] });
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(`${local.url}/v1/forecasts`, { method: "POST", headers, body });
    expect(response.status).toBe(200);
    const { items } = OnDemandResponse.parse(await response.json());
    expect(items.map(({ status }) => status)).toEqual(["issued", "issued"]);
  });

  it("refuses a second start on the same data in one clear line", async () => {
    const second = await runLocal({ DATA_DIR: folder });
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(new RegExp(`${folder}.*${local.pid}|${local.pid}.*${folder}`));
    expect(second.stderr.trim().split("\n")).toHaveLength(1);
  });

  it("keeps what it has over a clean stop, and leaves no server behind", async () => {
    const before = await read("/v1/sensors/room1/forecasts?limit=100", ForecastList);
    expect(await local.stop("SIGTERM")).toBe(0);
    expect(await readdir(folder)).not.toContain("lock");
    local = await startLocal({ DATA_DIR: folder, DEMO_SPEED: "120" });
    const path = "/v1/sensors/room1/forecasts?limit=100";
    await until(path, ForecastList, ({ items }) => items.length > before.items.length);
    // A later slot may have forecast the newest origin once more: of an origin the last one is told.
    const newest = Math.max(...before.items.map(({ issuedAt }) => Date.parse(issuedAt)));
    const stored = await read(`${path}&as_of=${new Date(newest).toISOString()}`, ForecastList);
    const forms = (list: typeof stored) => list.items.map(({ coverage: _, ...issued }) => issued);
    expect(forms(stored)).toEqual(forms(before));
  });

  it("takes its processes with it when it is killed, and starts again", async () => {
    const { api, workers } = await local.processes();
    expect(await local.stop("SIGKILL")).toBe("SIGKILL");
    while ([api, workers].some(isAlive)) await sleep(20);
    local = await startLocal({ DATA_DIR: folder, DEMO_SPEED: "120" });
    expect((await local.get("/healthz")).status).toBe(200);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("a start that cannot be", () => {
  it("names the bad variable, and ends with 1", async () => {
    const ended = await runLocal({ DATA_DIR: folder, PORT: "eighty" });
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toMatch(/^configuration: PORT must be a whole number.*\n$/);
  });

  it("says that the port is taken, and stops what it had started", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as AddressInfo;
    const own = await mkdtemp(join(tmpdir(), "iot-lstm-port-"));
    const ended = await runLocal({ DATA_DIR: own, PORT: String(port) });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("somebody listens there already; set PORT");
    expect(await readdir(own)).not.toContain("lock");
    taken.close();
    await rm(own, { recursive: true, force: true });
  });
});
