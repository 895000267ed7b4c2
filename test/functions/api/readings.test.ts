import { parse } from "csv-parse/sync";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../../core/errors.ts";
import { addSeconds } from "../../../core/time.ts";
import { ReadingsResponse } from "../../../functions/api/contract/readings.ts";
import { readingsOf, someSlot } from "../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { getAs, getProblem, startApi, stepSeconds, type TestApi } from "./harness.ts";

let postgres: TestPostgres;
let api: TestApi;

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterEach(async () => {
  await api.close();
});
afterAll(async () => {
  await postgres.stop();
});

const at = (steps: number) => addSeconds(someSlot, steps * stepSeconds).toISOString();

async function start() {
  const a = readingsOf({ temperature: [18, 19, null, 999, 22], humidity: [40, 41, 42, 43, 44] });
  api = await startApi(postgres, { readings: new Map([["a", a]]) });
}

/** Nothing stands on a value from before, and of five readings no rhythm is known. */
const steady = { standing: [null, null, null, null], everySeconds: null };

describe("GET /v1/sensors/{id}/readings", () => {
  it("gives grid values in (from, to] with null where nothing valid was measured", async () => {
    await start();
    const body = await getAs(api.app, `/v1/sensors/a/readings?from=${at(-4)}&to=${at(0)}`, ReadingsResponse);
    expect(body).toEqual({
      sensorId: "a",
      stepSeconds,
      from: at(-4),
      to: at(0),
      at: [at(-3), at(-2), at(-1), at(0)],
      targets: [
        { target: "temperature", unit: "°C", value: [19, null, null, 22], heldBack: [], shift: null, ...steady },
        { target: "humidity", unit: "%", value: [41, 42, 43, 44], heldBack: [], shift: null, ...steady },
      ],
    });
  });

  it("gives the last day by default and never the future", async () => {
    await start();
    const day = await getAs(api.app, "/v1/sensors/a/readings", ReadingsResponse);
    expect([day.at.length, day.to]).toEqual([144, at(0)]);
    const future = await getAs(api.app, `/v1/sensors/a/readings?from=${at(-2)}&to=${at(99)}`, ReadingsResponse);
    expect(future.at).toEqual([at(-1), at(0)]);
  });

  it("writes the same values as CSV", async () => {
    await start();
    const response = await api.app.request(`/v1/sensors/a/readings?from=${at(-4)}&format=csv`);
    expect(parse(await response.text())).toEqual([
      ["at", "temperature", "humidity"],
      [at(-3), "19", "41"],
      [at(-2), "", "42"],
      [at(-1), "", "43"],
      [at(0), "22", "44"],
    ]);
  });

  it("refuses an empty or too long range, and a sensor that nobody knows", async () => {
    await start();
    await getProblem(api.app, `/v1/sensors/a/readings?from=${at(0)}&to=${at(0)}`, 422);
    const long = await getProblem(api.app, `/v1/sensors/a/readings?from=${at(-10_001)}`, 422);
    expect(long.detail).toContain("10001 points");
    await getProblem(api.app, "/v1/sensors/ghost/readings", 404);
  });

  it("says that the sensor database is away, and nothing of where it is", async () => {
    await start();
    api.follower.readWindows = async () => {
      throw new AppError("followerUnavailable", "follower database: connect ECONNREFUSED 10.0.0.7:5432");
    };
    const response = await api.app.request("/v1/sensors/a/readings");
    expect(response.headers.get("Retry-After")).toBe("5");
    const problem = await getProblem(api.app, "/v1/sensors/a/readings", 503);
    expect(problem.code).toBe("followerUnavailable");
    expect(problem.detail).not.toContain("10.0.0.7");
    expect(api.log.lines).toContainEqual(expect.objectContaining({ level: "error", event: "api.failed" }));
  });
});

it("sets lone false readings apart, and tells a shift of the unit", async () => {
  const usual = Array.from({ length: 100 }, (_, i) => 20 + Math.sin(i / 20));
  const temperature = usual.map((value, i) => (i === 90 ? 85 : value));
  const humidity = usual.map((value, i) => (i >= 95 ? 10 * value : value) / 4);
  api = await startApi(postgres, { readings: new Map([["a", readingsOf({ temperature, humidity })]]) });
  const { targets } = await getAs(api.app, `/v1/sensors/a/readings?from=${at(-20)}`, ReadingsResponse);
  expect(targets[0]).toMatchObject({ heldBack: [{ at: at(-9), value: 85 }], shift: null });
  expect(targets[0]?.value[10]).toBeNull();
  expect(targets[1]?.heldBack).toEqual([]);
  expect(targets[1]?.shift?.at).toBe(at(-4));
  expect(targets[1]?.shift?.text).toMatch(/^shifted from [\d.]+ to [\d.]+ % at .*: now 10 times as much\?$/);
});

it("says what stands between the readings of a sensor that comes seldom, apart from what was measured", async () => {
  const temperature = Array.from({ length: 200 }, (_, i) => (i % 6 === 1 ? 20 + Math.sin(i / 30) : null));
  const humidity = temperature.map((_, i) => 40 + Math.sin(i / 20));
  api = await startApi(postgres, { readings: new Map([["a", readingsOf({ temperature, humidity })]]) });
  const { targets } = await getAs(api.app, `/v1/sensors/a/readings?from=${at(-12)}`, ReadingsResponse);
  const [seldom, steadily] = targets;
  expect(seldom).toMatchObject({ everySeconds: 3600, heldBack: [] });
  const measured = seldom!.value.map((value) => value !== null);
  expect(measured.filter(Boolean)).toHaveLength(2);
  expect(seldom!.standing.map((value) => value === null)).toEqual(measured);
  expect(steadily).toMatchObject({ everySeconds: 600, standing: measured.map(() => null) });
});
