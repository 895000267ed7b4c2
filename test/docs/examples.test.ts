import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import nunjucks from "nunjucks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { createSite, type HttpServer, listen } from "../../functions/machine/server.ts";
import { someSlot } from "../builders.ts";
import { forecastsOf, outcomeOf, startApi } from "../functions/api/harness.ts";
import { hasTool } from "../has-tool.ts";
import { startTestPostgres, type TestPostgres } from "../postgres.ts";

const run = promisify(execFile);
const folder = join(import.meta.dirname, "../../docs/examples");
const key = "a key of the tests, of 32 characters".replaceAll(/\W/g, "-");

let postgres: TestPostgres;
let api: Awaited<ReturnType<typeof startApi>>;
let server: HttpServer;
beforeAll(async () => {
  postgres = await startTestPostgres();
  api = await startApi(postgres, { access: { mode: "private", bootstrapKey: key } });
  const sensorIds = ["room1", "room 2/ä"];
  await api.ledger.openCycle({ slot: someSlot, sensors: 2, shards: 1, now: someSlot });
  await api.ledger.rememberSensors(sensorIds, someSlot);
  await api.ledger.record(
    sensorIds.map((sensorId) => outcomeOf({ sensorId })),
    sensorIds.flatMap((sensorId) => forecastsOf({ sensorId })),
  );
  const site = createSite((request, env) => api.app.fetch(request, env), "/nowhere", { host: "127.0.0.1", names: [] });
  server = await listen(site.fetch, { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server.close();
  await api.close();
  await postgres.stop();
});

const environment = () => ({ PATH: process.env.PATH ?? "", PREDICTOR_URL: server.url, PREDICTOR_KEY: key });
const [temperature] = forecastsOf();

describe.runIf(hasTool("curl"))("curl.sh", () => {
  it("prints the forecast as CSV, decides one now, and lists alerts", async () => {
    const { stdout } = await run("sh", [join(folder, "curl.sh"), "room1"], { env: environment() });
    const [header, first, ...rest] = stdout.split(/\r?\n/);
    expect(header).toMatch(/^sensorId,target,unit,origin/);
    expect(first).toContain(`,${temperature!.q50[0]},`);
    const answers = rest.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
    expect(answers).toMatchObject([{ items: [{ sensorId: "room1", status: "issued" }] }, { items: [] }]);
  });

  it("ends with what the API says of a wrong key", async () => {
    const env = { ...environment(), PREDICTOR_KEY: "wrong" };
    const asked = run("sh", [join(folder, "curl.sh"), "room1"], { env });
    await expect(asked).rejects.toMatchObject({ code: 22, stdout: expect.stringContaining("the API key is wrong") });
  });
});

describe.runIf(hasTool("python3"))("forecast.py", () => {
  it("prints a row a lead, of any sensor", async () => {
    const { stdout } = await run("python3", [join(folder, "forecast.py"), "room 2/ä", "humidity"], {
      env: { ...environment(), PYTHONIOENCODING: "utf-8", PYTHONDONTWRITEBYTECODE: "1" },
    });
    const lines = stdout.trim().split("\n");
    expect(lines[0]).toBe("sensors: room 2/ä, room1");
    expect(lines[1]).toContain("room 2/ä, humidity, by lstm");
    expect(lines).toHaveLength(2 + 24);
    expect(lines[2]).toMatch(/ 39\.25 +40\.25 +41\.25 %$/);
  });

  it("ends with what is wrong", async () => {
    const asked = run("python3", [join(folder, "forecast.py"), "nobody"], { env: environment() });
    await expect(asked).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("nobody is not known") });
  });
});

const Entity = z.strictObject({
  name: z.string(),
  unique_id: z.string(),
  value_template: z.string(),
  unit_of_measurement: z.string().optional(),
  device_class: z.string().optional(),
  state_class: z.literal("measurement").optional(),
  json_attributes_path: z.string().startsWith("$.items[0]").optional(),
  json_attributes: z.array(z.string()).optional(),
});
const Rest = z.strictObject({
  resource: z.url(),
  params: z.record(z.string(), z.string()),
  headers: z.record(z.string(), z.string()),
  scan_interval: z.int().min(10),
  timeout: z.int().optional(),
  sensor: z.array(Entity).default([]),
  binary_sensor: z.array(Entity).default([]),
});

describe("home-assistant.yaml", () => {
  const secret = { tag: "!secret", resolve: () => `Bearer ${key}` };
  const text = readFileSync(join(folder, "home-assistant.yaml"), "utf8");
  const { rest } = z.strictObject({ rest: z.array(Rest) }).parse(parse(text, { customTags: [secret] }));
  const jinja = new nunjucks.Environment(null, { autoescape: false, throwOnUndefined: true });
  jinja.addFilter("max", (values: number[]) => Math.max(...values));

  async function states(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const { resource, params, headers, sensor, binary_sensor } of rest) {
      const { pathname } = new URL(resource);
      const response = await fetch(`${server.url}${pathname}?${new URLSearchParams(params)}`, { headers });
      const body = await response.text();
      expect(response.status, body).toBe(200);
      const value_json = JSON.parse(body);
      for (const entity of [...sensor, ...binary_sensor]) {
        found[entity.unique_id] = jinja.renderString(entity.value_template, { value_json });
        for (const name of entity.json_attributes ?? []) expect(value_json.items[0]).toHaveProperty(name);
      }
    }
    return found;
  }

  it("reads the forecast and what fires from real answers", async () => {
    expect(await states()).toEqual({
      predictor_room1_temperature: String(temperature!.q50[0]),
      predictor_room1_temperature_most: String(Math.max(...temperature!.q90)),
      predictor_alert: "off",
      predictor_newest_alert: "none",
    });
    const rule = { ...{ rule_id: "r1", sensor_id: "room1", severity: "warning", fired_at: someSlot } };
    await api.db
      .insertInto("alert")
      .values({ ...rule, rule_name: "warm", text: "room1: above 26 °C", evidence: "{}" })
      .execute();
    expect(await states()).toMatchObject({ predictor_alert: "on", predictor_newest_alert: "room1: above 26 °C" });
  });
});
