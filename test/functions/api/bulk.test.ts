import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { addSeconds } from "../../../core/time.ts";
import { someSlot } from "../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { forecastsOf, getProblem, outcomeOf, startApi, stepSeconds, type TestApi } from "./harness.ts";

let postgres: TestPostgres;
let api: TestApi;
const sensorIds = Array.from({ length: 450 }, (_, i) => `s${i + 1}`);

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterEach(async () => {
  await api.close();
});
afterAll(async () => {
  await postgres.stop();
});

async function start() {
  api = await startApi(postgres);
  await api.ledger.rememberSensors([...sensorIds, "new"], someSlot);
  for (const steps of [1, 0]) {
    const slot = addSeconds(someSlot, -steps * stepSeconds);
    await api.ledger.record(
      sensorIds.map((sensorId) => outcomeOf({ sensorId, slot })),
      sensorIds.flatMap((sensorId, i) => forecastsOf({ sensorId, origin: slot, level: i })),
    );
  }
}
const linesOf = async (response: Response) => {
  const text = await response.text();
  return text
    .trim()
    .split("\n")
    .map((line): { sensorId: string; target: string } & Record<string, unknown> => JSON.parse(line));
};

describe("GET /v1/forecasts", () => {
  it("streams each sensor's newest forecasts as NDJSON, a line a target, by sensorId", async () => {
    await start();
    const response = await api.app.request("/v1/forecasts");
    expect(response.headers.get("Content-Type")).toBe("application/x-ndjson");
    const lines = await linesOf(response);
    expect(lines.map(({ sensorId }) => sensorId)).toEqual(sensorIds.flatMap((id) => [id, id]));
    const [temperature, humidity] = forecastsOf({ sensorId: "s1", level: 0 });
    expect(lines.slice(0, 2).map(({ q50 }) => q50)).toEqual([temperature!.q50, humidity!.q50]);
    expect(lines[0]).toMatchObject({
      target: "temperature",
      origin: someSlot.toISOString(),
      leads: temperature!.leads,
    });
  });

  it("gives CSV with one header, a row a lead", async () => {
    await start();
    const response = await api.app.request("/v1/forecasts?format=csv&target=humidity");
    expect(response.headers.get("Content-Type")).toBe("text/csv; charset=utf-8");
    const rows = (await response.text()).trim().split("\r\n");
    expect(rows).toHaveLength(1 + 450 * 24);
    expect(rows[0]).toMatch(/^sensorId,target,unit,origin/);
    expect(rows[1]).toMatch(/^s1,humidity,%,/);
    expect(rows.at(-1)).toMatch(/^s450,humidity,%,/);
  });

  it("goes on where a limit ended, and ends", async () => {
    await start();
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const next: string = cursor === null ? "" : `&cursor=${cursor}`;
      const response: Response = await api.app.request(`/v1/forecasts?target=temperature&limit=200${next}`);
      seen.push(...(await linesOf(response)).map(({ sensorId }) => sensorId));
      cursor = response.headers.get("X-Next-Cursor");
    } while (cursor !== null && seen.length < 1_000);
    expect(seen).toEqual(sensorIds);
  });

  it("reads on only as its reader does", async () => {
    await start();
    let asked = 0;
    const { newestForecasts } = api.services.views;
    api.services.views.newestForecasts = (...given) => {
      asked++;
      return newestForecasts(...given);
    };
    const reader = (await api.app.request("/v1/forecasts")).body!.getReader();
    await reader.read();
    expect(asked).toBeLessThan(3);
    await reader.cancel();
    expect(asked).toBeLessThan(3);
  });

  it("refuses targets, groups and cursors that there are none of", async () => {
    await start();
    await getProblem(api.app, "/v1/forecasts?target=noise", 422);
    await getProblem(api.app, "/v1/forecasts?format=xml", 422);
    await getProblem(api.app, "/v1/forecasts?cursor=x", 422);
    expect(await (await api.app.request("/v1/forecasts?group=nowhere")).text()).toBe("");
  });
});
