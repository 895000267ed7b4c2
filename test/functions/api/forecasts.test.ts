import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import { AppError } from "../../../core/errors.ts";
import { addSeconds } from "../../../core/time.ts";
import { ForecastList, LeadSeriesList } from "../../../functions/api/contract/forecasts.ts";
import { Sensor } from "../../../functions/api/contract/sensors.ts";
import { someSlot } from "../../builders.ts";
import {
  forecastOf,
  forecastsOf,
  getAs,
  getProblem,
  horizon,
  outcomeOf,
  scoreOf,
  stepSeconds,
  type TestApi,
} from "./harness.ts";
import { apiStarter } from "./starter.ts";

const start = apiStarter();
let api: TestApi;

const at = (steps: number) => addSeconds(someSlot, steps * stepSeconds);

/** Sensor "a" with served forecasts of both targets at these origins, in steps from `someSlot`. */
async function store(...origins: number[]) {
  await api.ledger.rememberSensors(["a"], someSlot);
  for (const steps of origins) {
    const origin = at(steps);
    await api.ledger.record([outcomeOf({ slot: origin })], forecastsOf({ origin, level: 20 + steps }));
  }
}

const list = (query = "") => getAs(api.app, `/v1/sensors/a/forecasts${query}`, ForecastList);
const text = async (query: string) => (await api.app.request(`/v1/sensors/a/forecasts${query}`)).text();

describe("GET /v1/sensors/{id}/forecasts", () => {
  it("gives the latest served forecast of each target, never a challenger's", async () => {
    api = await start();
    await store(-2, -1, 0);
    await api.ledger.record([], [forecastOf({ origin: at(1), modelKey: "rival", modelId: "rival", isServed: false })]);

    const { items } = await list();

    expect(items.map(({ target, origin }) => [target, origin])).toEqual([
      ["temperature", someSlot.toISOString()],
      ["humidity", someSlot.toISOString()],
    ]);
    expect(items[0]).toMatchObject({
      method: "lstm",
      reason: null,
      modelId: "model-a",
      issuedAt: at(0.1).toISOString(),
    });
    expect(items[0]!.q50).toEqual(forecastOf({ level: 20 }).q50);
    expect(items[0]!.targetAt).toEqual(Array.from({ length: horizon }, (_, index) => at(index + 1).toISOString()));
  });

  it("chooses one target", async () => {
    api = await start();
    await store(0);
    expect((await list("?target=humidity")).items.map((item) => item.target)).toEqual(["humidity"]);
    const problem = await getProblem(api.app, "/v1/sensors/a/forecasts?target=pressure", 422);
    expect(problem.errors?.[0]?.path).toBe("target");
  });

  it("answers as_of with the same bytes after later forecasts and scores", async () => {
    api = await start();
    await store(-3, -2, -1);
    await api.scores.record([scoreOf({ targetAt: at(-2), scoredAt: at(-1.5) })]);
    const asOf = `?as_of=${at(-1.5).toISOString()}`;
    const before = await text(asOf);
    expect(ForecastList.parse(JSON.parse(before)).items[0]).toMatchObject({
      origin: at(-2).toISOString(),
      coverage: { nominal: 0.8, observed: 1, n: horizon },
    });

    await store(0, 1, 2);
    await api.ledger.record([], [forecastOf({ origin: at(-2), modelKey: "late", issuedAt: at(3) })]);
    await api.scores.record([
      scoreOf({ targetAt: at(-1), isCovered: Array(horizon).fill(false) }),
      scoreOf({ targetAt: at(-3), scoredAt: at(4), isCovered: Array(horizon).fill(false) }),
    ]);
    api.clock.set(at(2000));

    expect(await text(asOf)).toBe(before);
  });

  it("gives the forecasts of one origin, or none", async () => {
    api = await start();
    await store(-1, 0);
    const { items } = await list(`?origin=${at(-1).toISOString()}`);
    expect(items.map((item) => item.origin)).toEqual([at(-1).toISOString(), at(-1).toISOString()]);
    expect(await list(`?origin=${at(-7).toISOString()}`)).toEqual({ items: [], nextCursor: null });
  });

  it("gives the last issued where one origin was served twice", async () => {
    api = await start();
    await store(0);
    const late = { origin: at(0), slot: at(1), issuedAt: at(1.2), modelKey: "persistence", modelId: null };
    await api.ledger.record(
      [outcomeOf({ slot: at(1), status: "baseline", reason: "staleSource" })],
      [forecastOf({ ...late, method: "baseline", baseline: "persistence", reason: "staleSource" })],
    );
    for (const query of ["?target=temperature", `?target=temperature&origin=${at(0).toISOString()}`]) {
      const { items } = await list(query);
      expect(items.map((item) => [item.method, item.baseline])).toEqual([["baseline", "persistence"]]);
    }
  });

  it("joins its pages, newest origin first, to the full set while new forecasts come", async () => {
    api = await start();
    await store(...Array.from({ length: 17 }, (_, index) => index - 16));
    const seen: string[] = [];
    let query = "?limit=3";
    for (let round = 1; ; round++) {
      const page = await list(query);
      expect(new Set(page.items.map((item) => item.origin)).size).toBeLessThanOrEqual(3);
      seen.push(...page.items.map((item) => `${item.origin} ${item.target}`));
      if (page.nextCursor === null) break;
      query = `?limit=3&cursor=${page.nextCursor}`;
      await store(round);
    }
    const expected = Array.from({ length: 17 }, (_, index) => at(-index).toISOString());
    expect(seen).toEqual(expected.flatMap((origin) => [`${origin} temperature`, `${origin} humidity`]));
  });

  it("bounds a page by origins in [from, to)", async () => {
    api = await start();
    await store(-3, -2, -1, 0);
    const range = `?target=temperature&from=${at(-3).toISOString()}&to=${at(0).toISOString()}&limit=100`;
    const { items } = await list(range);
    expect(items.map((item) => item.origin)).toEqual([-1, -2, -3].map((steps) => at(steps).toISOString()));
  });

  it("gives what was forecast `lead` steps ahead of each moment in [from, to)", async () => {
    api = await start();
    await store(-3, -2, -1, 0);
    const range = `from=${at(0).toISOString()}&to=${at(2).toISOString()}`;
    const { items } = await getAs(api.app, `/v1/sensors/a/forecasts?lead=2&${range}`, LeadSeriesList);
    expect(items.map(({ target }) => target)).toEqual(["temperature", "humidity"]);
    expect(items[0]).toMatchObject({
      lead: 2,
      origin: [at(-2).toISOString(), at(-1).toISOString()],
      targetAt: [at(0).toISOString(), at(1).toISOString()],
      q50: [18.5, 19.5],
      q10: [17.5, 18.5],
      q90: [19.5, 20.5],
    });
    const past = `lead=2&${range}&as_of=${at(-1.5).toISOString()}`;
    const known = await getAs(api.app, `/v1/sensors/a/forecasts?${past}`, LeadSeriesList);
    expect(known.items[0]!.origin).toEqual([at(-2).toISOString()]);
  });

  it("says how much data is missing while there is no first forecast", async () => {
    api = await start();
    await api.ledger.rememberSensors(["a"], someSlot);
    expect(await list()).toEqual({ items: [], nextCursor: null });
    const reasonText = "sensor a: 31 of 40 steps; waits for readings";
    await api.ledger.record(
      [outcomeOf({ status: "refused", reason: "shortHistory", reasonText, have: 31, need: 40 })],
      [],
    );
    const problem = await getProblem(api.app, "/v1/sensors/a/forecasts", 422);
    expect(problem).toMatchObject({ code: "tooLittleData", have: 31, need: 40, detail: reasonText });
    await getProblem(api.app, "/v1/sensors/ghost/forecasts", 404);
    await getProblem(api.app, "/v1/sensors/ghost/forecasts?lead=1", 404);
  });

  it.each([
    ["as_of=yesterday", "as_of"],
    ["as_of=2026-02-30T00:00:00Z", "as_of"],
    ["origin=2026-03-01", "origin"],
    ["lead=0", "lead"],
    ["lead=25", "lead"],
    ["lead=1.5", "lead"],
    ["lead=0x1", "lead"],
    ["limit=1e1", "limit"],
    ["limit=101", "limit"],
    ["lead=1&from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "to"],
    ["lead=1&from=1990-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "to"],
    ["format=xml", "format"],
    [`target=${"x".repeat(64)}`, "target"],
  ])("refuses ?%s and names the parameter", async (query, path) => {
    api = await start();
    const problem = await getProblem(api.app, `/v1/sensors/a/forecasts?${query}`, 422);
    expect(problem.errors?.[0]?.path).toBe(path);
  });
});

describe("GET /v1/sensors/{id}/forecasts as CSV", () => {
  it("carries the very numbers of the JSON, a row per lead", async () => {
    api = await start();
    await api.ledger.rememberSensors(["a"], someSlot);
    const odd = Array.from({ length: horizon }, (_, index) => Math.sin(index) * 10 ** (index % 5) - 0.1);
    const sorted = { q10: odd.map((value) => value - 0.1), q50: odd, q90: odd.map((value) => value + 1 / 3) };
    await api.ledger.record([outcomeOf()], [forecastOf(sorted)]);

    for (const init of [{}, { headers: { Accept: "text/csv" } }]) {
      const path = `/v1/sensors/a/forecasts${"headers" in init ? "" : "?format=csv"}`;
      const response = await api.app.request(path, init);
      expect(response.headers.get("Content-Type")).toBe("text/csv; charset=utf-8");
      const rows: Record<string, string>[] = parse(await response.text(), { columns: true });
      const json = (await list()).items[0]!;
      expect(rows.map((row) => row.targetAt)).toEqual(json.targetAt);
      for (const column of ["q10", "q50", "q90"] as const) {
        expect(rows.map((row) => Number(row[column]))).toEqual(json[column]);
      }
      expect(rows[0]).toMatchObject({ sensorId: "a", target: "temperature", unit: "°C", lead: "1", reason: "" });
    }
    expect(await text("?lead=1&format=csv")).toMatch(/^sensorId,target,unit,lead,origin,targetAt,q10,q50,q90\r\n/);
  });

  it.each([
    '=HYPERLINK("http://x")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    " =1",
    '"; quoted',
    "two\nlines",
    "a,b",
  ])("keeps the id %j text and no formula", async (sensorId) => {
    api = await start();
    await api.ledger.rememberSensors([sensorId], someSlot);
    await api.ledger.record([outcomeOf({ sensorId })], [forecastOf({ sensorId })]);
    const path = `/v1/sensors/${encodeURIComponent(sensorId)}/forecasts?format=csv`;
    const rows: Record<string, string>[] = parse(await (await api.app.request(path)).text(), { columns: true });
    expect(rows).toHaveLength(horizon);
    const cell = rows[0]!.sensorId!;
    expect(cell).toBe(/^[ =+\-@\t＝＋－＠]/.test(sensorId) ? `'${sensorId}` : sensorId);
  });
});

it("serves a counter's rate and where it will stand; without the follower, the rate alone", async () => {
  const energy = { name: "energy", unit: "kWh/h", min: 0, max: 100, counts: "kWh" };
  api = await start({ settings: { targets: [energy] } });
  await api.ledger.rememberSensors(["a"], someSlot);
  await api.ledger.record([outcomeOf()], [forecastOf({ target: "energy", unit: "kWh/h", level: 6 })]);
  api.follower.readCounter = async (_, __, upTo) => ({ at: upTo, value: 1_000_000 });

  const [item] = (await list()).items;

  expect(item).toMatchObject({
    unit: "kWh/h",
    level: { unit: "kWh", from: 1_000_000, readAt: someSlot.toISOString() },
  });
  expect(item?.level?.q50.slice(0, 2)).toEqual([
    expect.closeTo(1_000_000 + 6.25 / 6, 6),
    expect.closeTo(1_000_000 + 12.75 / 6, 6),
  ]);
  const sensor = await getAs(api.app, "/v1/sensors/a", Sensor);
  expect(sensor.targets[0]?.forecast?.level).toEqual(item?.level);
  api.follower.readCounter = async () => {
    throw new AppError("followerUnavailable", "it is away");
  };
  expect((await list()).items[0]).not.toHaveProperty("level");
});
