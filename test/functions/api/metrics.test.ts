import parsePrometheus from "parse-prometheus-text-format";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AppError } from "../../../core/errors.ts";
import { addSeconds } from "../../../core/time.ts";
import { someSlot } from "../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { forecastsOf, outcomeOf, scoreOf, startApi, stepSeconds } from "./harness.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());

type Sample = { labels?: Record<string, string>; value?: string; count?: string };

async function scrape(api: Awaited<ReturnType<typeof startApi>>) {
  const response = await api.app.request("/metrics");
  expect(response.status).toBe(200);
  expect(response.headers.get("Content-Type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const families = parsePrometheus(await response.text());
  return (name: string): Sample[] => families.find((family) => family.name === name)?.metrics ?? [];
}

test("Prometheus reads the newest cycle's outcomes, the source and the database", async () => {
  const api = await startApi(postgres);
  await api.ledger.rememberSensors(["a", "b"], someSlot);
  await api.ledger.openCycle({ slot: someSlot, sensors: 2, shards: 1, now: someSlot });
  await api.ledger.record([outcomeOf(), outcomeOf({ sensorId: "b", status: "refused", reason: "gap" })], forecastsOf());
  const samples = await scrape(api);
  expect(samples("predictor_cycle_outcomes")).toEqual([
    { labels: { status: "issued" }, value: "1" },
    { labels: { status: "baseline" }, value: "0" },
    { labels: { status: "refused" }, value: "1" },
    { labels: { status: "expired" }, value: "0" },
  ]);
  expect(samples("predictor_cycle_slot_timestamp_seconds")).toEqual([{ value: String(someSlot.getTime() / 1000) }]);
  expect(samples("predictor_sensors")).toEqual([{ value: "2" }]);
  expect(samples("predictor_source_up")).toEqual([{ value: "1" }]);
  expect(samples("predictor_source_age_seconds")).toEqual([]);
  expect(Number(samples("predictor_database_bytes")[0]?.value)).toBeGreaterThan(1e6);
  await api.close();
});

test("the fleet's coverage and skill are those of what serves, over the last hour", async () => {
  const api = await startApi(postgres);
  await api.ledger.rememberSensors(["a"], someSlot);
  const at = (steps: number) => addSeconds(someSlot, -steps * stepSeconds);
  const known = { error: [1, -1], isCovered: [true, false], persistenceError: [4, -4] };
  await api.scores.record([
    scoreOf({ targetAt: at(1), ...known }),
    scoreOf({ targetAt: at(90), error: [9, 9], isCovered: [false, false], persistenceError: [1, 1] }),
  ]);
  const samples = await scrape(api);
  const labels = { target: "temperature" };
  expect(samples("predictor_fleet_scored_leads")).toEqual([{ labels, value: "2" }]);
  expect(samples("predictor_fleet_coverage_ratio")).toEqual([{ labels, value: "0.5" }]);
  expect(samples("predictor_fleet_skill_ratio")).toEqual([{ labels, value: "0.75" }]);
  await api.close();
});

test("a source that is away is a sample, not an error, and requests are counted by route, not by path", async () => {
  const api = await startApi(postgres);
  api.follower.state = () => Promise.reject(new AppError("followerUnavailable", "away"));
  await api.app.request("/v1/sensors/some-id-with-a-name");
  const samples = await scrape(api);
  expect(samples("predictor_source_up")).toEqual([{ value: "0" }]);
  const [family] = samples("predictor_request_duration_seconds");
  expect(JSON.stringify(family)).not.toContain("some-id");
  const again = await (await api.app.request("/metrics")).text();
  expect(again).toContain('predictor_request_duration_seconds_count{operation="get /v1/sensors/{id}",status="404"} 1');
  await api.close();
});
