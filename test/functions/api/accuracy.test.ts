import { describe, expect, it } from "vitest";
import { addSeconds } from "../../../core/time.ts";
import { AccuracyResponse } from "../../../functions/api/contract/accuracy.ts";
import { AnnotationResponse } from "../../../functions/api/contract/annotations.ts";
import { someSlot } from "../../builders.ts";
import { forecastOf, getAs, getProblem, outcomeOf, post, scoreOf, stepSeconds, type TestApi } from "./harness.ts";
import { apiStarter } from "./starter.ts";

const start = apiStarter();
let api: TestApi;

const at = (steps: number) => addSeconds(someSlot, steps * stepSeconds);

/**
 * Two served forecasts, of origins -3 and -2, meet the actuals of -2 and -1; a challenger's meet them too.
 * By hand, served: lead 1: errors 1 (at -2) and -2 (at -1); lead 2: error 3 (at -1).
 */
async function store() {
  await api.ledger.rememberSensors(["a"], someSlot);
  for (const steps of [-3, -2]) {
    const origin = at(steps);
    await api.ledger.record(
      [outcomeOf({ slot: origin })],
      [forecastOf({ origin }), forecastOf({ origin, modelKey: "rival", modelId: "rival", isServed: false })],
    );
  }
  const common = { pinball: [0.1, null], persistenceError: [2, null], seasonalNaiveError: [null, null] };
  await api.scores.record([
    scoreOf({ ...common, targetAt: at(-2), error: [1, null], isCovered: [true, null] }),
    scoreOf({
      targetAt: at(-1),
      error: [-2, 3],
      pinball: [0.2, 0.6],
      isCovered: [false, true],
      persistenceError: [4, 6],
      seasonalNaiveError: [null, -6],
    }),
    scoreOf({ ...common, targetAt: at(-1), modelKey: "rival", error: [5, null], isCovered: [false, null] }),
  ]);
}

const load = (query = "") => getAs(api.app, `/v1/sensors/a/accuracy${query}`, AccuracyResponse);

describe("GET /v1/sensors/{id}/accuracy", () => {
  it("agrees with a hand-worked example, per lead and over all, without challengers", async () => {
    api = await start();
    await store();
    const { targets, groupBy } = await load();
    expect(groupBy).toBe("lead");
    const [temperature, humidity] = targets;
    expect(temperature!.groups.map((group) => [group.key, group.lead, group.n])).toEqual([
      ["1", 1, 2],
      ["2", 2, 1],
    ]);
    const [first, second] = temperature!.groups;
    expect(first!.mae).toBeCloseTo(1.5, 6);
    expect(first!.rmse).toBeCloseTo(Math.sqrt(2.5), 6);
    expect(first!.pinball).toBeCloseTo(0.15, 6);
    expect(first!.coverage).toEqual({ nominal: 0.8, observed: 0.5, n: 2 });
    expect(first!.persistenceMae).toBeCloseTo(3, 6);
    expect(first!.skillPersistence).toBeCloseTo(0.5, 6);
    expect(first!.skillSeasonalNaive).toBeNull();
    expect(second!.skillSeasonalNaive).toBeCloseTo(0.5, 6);
    expect(temperature!.overall).toMatchObject({ key: "all", lead: null, n: 3 });
    expect(temperature!.overall!.mae).toBeCloseTo(2, 6);
    // Seasonal naive had a forecast for one of the three points only: skill compares that pair.
    expect(temperature!.overall!.skillSeasonalNaive).toBeCloseTo(0.5, 6);
    expect(humidity).toEqual({ target: "humidity", unit: "%", overall: null, withLeftOut: null, groups: [] });
  });

  it("groups by the day of the target moment in UTC", async () => {
    api = await start();
    await store();
    const midnight = new Date("2026-03-01T00:00:00Z");
    const origin = addSeconds(midnight, -stepSeconds);
    await api.ledger.record([outcomeOf({ slot: origin })], [forecastOf({ origin })]);
    await api.scores.record([scoreOf({ targetAt: midnight, leads: [1] })]);
    await api.ledger.record(
      [outcomeOf({ slot: addSeconds(origin, -stepSeconds) })],
      [forecastOf({ origin: addSeconds(origin, -stepSeconds) })],
    );
    await api.scores.record([scoreOf({ targetAt: origin, leads: [1] })]);
    const { targets } = await load("?group_by=day");
    expect(targets[0]!.groups.map((group) => [group.key, group.n])).toEqual([
      ["2026-02-28", 1],
      ["2026-03-01", 4],
    ]);
  });

  it("sets every model side by side, challengers too", async () => {
    api = await start();
    await store();
    const { targets } = await load("?group_by=model");
    expect(targets[0]!.groups.map((group) => [group.key, group.n, group.mae])).toEqual([
      ["model-a", 3, 2],
      ["rival", 1, 5],
    ]);
  });

  it("counts targetAt in [from, to)", async () => {
    api = await start();
    await store();
    const count = async (from: number, to: number) =>
      (await load(`?from=${at(from).toISOString()}&to=${at(to).toISOString()}`)).targets[0]!.overall?.n ?? 0;
    expect(await count(-2, -1)).toBe(1);
    expect(await count(-1, 0)).toBe(2);
    expect(await count(-1.5, -1)).toBe(0);
  });

  it("leaves out what annotations say, and shows both; taken back, all is in again", async () => {
    api = await start();
    await store();
    const whole = await load();
    expect(whole.leftOut).toEqual([]);
    // A grid point stands for the step before it: that of -1 has readings of the range, that of -2 has none.
    const note = { sensorId: "a", kind: "outage", from: at(-1.9).toISOString(), to: at(-1.8).toISOString(), text: "x" };
    const { annotationId } = await getAs(api.app, "/v1/annotations", AnnotationResponse, {
      ...post(note),
      status: 201,
    });
    const without = await load();
    const { from, to, kind } = note;
    expect(without.leftOut).toEqual([{ annotationId, target: null, kind, from, to }]);
    const [temperature] = without.targets;
    expect(temperature!.overall).toMatchObject({ n: 1, mae: 1 });
    expect(temperature!.groups.map(({ key, n }) => [key, n])).toEqual([["1", 1]]);
    expect(temperature!.withLeftOut).toEqual(whole.targets[0]!.overall);
    const path = `/v1/annotations/${annotationId}`;
    const patch = { ...post({ target: "humidity" }), method: "PATCH" };
    await getAs(api.app, path, AnnotationResponse, patch);
    expect((await load()).targets[0]).toEqual(whole.targets[0]);
    await getAs(api.app, path, AnnotationResponse, { ...post({ target: null, to: null }), method: "PATCH" });
    expect((await load()).targets[0]).toMatchObject({ overall: { n: 1 }, withLeftOut: { n: 3 } });
    await getAs(api.app, path, AnnotationResponse, { method: "DELETE" });
    expect(await load()).toEqual(whole);
  });

  it("answers nulls for a sensor without scores, 404 for one that nobody knows, 422 for a bad range", async () => {
    api = await start();
    await api.ledger.rememberSensors(["a"], someSlot);
    expect((await load()).targets.every(({ overall }) => overall === null)).toBe(true);
    await getProblem(api.app, "/v1/sensors/ghost/accuracy", 404);
    await getProblem(api.app, "/v1/sensors/a/accuracy?from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z", 422);
    await getProblem(api.app, "/v1/sensors/a/accuracy?group_by=mood", 422);
  });
});
