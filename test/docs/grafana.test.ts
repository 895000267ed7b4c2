import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../functions/adapters/postgres/connection/pool.ts";
import { postgresDays } from "../../functions/adapters/postgres/day/days.ts";
import type { PredictorSchema } from "../../functions/adapters/postgres/schema.ts";
import { prometheusMetrics } from "../../functions/adapters/prometheus.ts";
import { someSlot } from "../builders.ts";
import { forecastsOf, outcomeOf, scoreOf, startApi, type TestApi } from "../functions/api/harness.ts";
import { startTestPostgres, type TestPostgres } from "../postgres.ts";

type Panel = { title: string; targets: { expr?: string; rawSql?: string }[] };
type Variable = { name: string; query: string; type: string };
const file = join(import.meta.dirname, "../../docs/grafana/dashboard.json");
const page = readFileSync(join(import.meta.dirname, "../../docs/monitoring.md"), "utf8");
const dashboard: { panels: Panel[]; templating: { list: Variable[] } } = JSON.parse(readFileSync(file, "utf8"));
const targets = dashboard.panels.flatMap((panel) => panel.targets);

let postgres: TestPostgres;
let api: TestApi;
let url: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
  url = await postgres.createPredictorDatabase();
  api = await startApi(postgres, { url });
  await api.ledger.rememberSensors(["a"], someSlot);
  await api.ledger.openCycle({ slot: someSlot, sensors: 1, shards: 1, now: someSlot });
  await api.ledger.record([outcomeOf()], forecastsOf());
  await api.scores.record([scoreOf()]);
});
afterAll(async () => {
  await api.close();
  await postgres.stop();
});

test("every metric of the dashboard is one that /metrics writes", async () => {
  const metrics = prometheusMetrics("test");
  metrics.request({ operation: "get /v1/sensors", status: 200 }, 0.1);
  await metrics.timed("forecast", async () => {})();
  const [cycle] = await api.ledger.latestCycles(1);
  const { text } = await metrics.write({
    source: { isReachable: true, ageSeconds: 1, readingsAhead: 0, lagBytes: 0 },
    cycle: cycle ?? null,
    queue: ["forecast", "forecast-dead"].map((name) => ({ name, waiting: 1, active: 0, failed: 0 })),
    database: await api.services.views.databaseSize(),
    sensors: 1,
    accuracy: [{ target: "temperature", n: 1, covered: 1, absoluteError: 1, persistenceError: 2 }],
  });
  const asked = targets.flatMap(({ expr }) => expr?.match(/\b(predictor|nodejs)_\w+/g) ?? []);
  const known = new Set(text.match(/^# TYPE \S+/gm)?.map((line) => line.slice("# TYPE ".length)));
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.filter((name) => !known.has(name.replace(/_(bucket|count)$/, "")))).toEqual([]);
});

test("every query of the dashboard runs and finds the stored forecast", async () => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const filled = (text: string) =>
    text
      .replaceAll(/\$\{sensor\}/g, "a")
      .replaceAll(/\$\{target\}/g, "temperature")
      .replaceAll(/\$__timeFilter\((\w+)\)/g, "$1 between '2000-01-01' and '2100-01-01'");
  const variables = dashboard.templating.list.filter(({ type }) => type === "query").map(({ query }) => query);
  const queries = [...targets.flatMap(({ rawSql }) => rawSql ?? []), ...variables];
  expect(queries.length).toBeGreaterThan(3);
  for (const query of queries) {
    const { rows } = await client.query(filled(query));
    expect(rows.length, query).toBeGreaterThan(0);
  }
  await client.end();
});

test("every query of the page finds what is stored, as the role that the page makes", async () => {
  const database = openDatabase<PredictorSchema>({ url, side: "predictor", max: 1 });
  const retention = { mixDays: 2, forecastDays: 400, cycleDays: 90, isArchived: false };
  await postgresDays(database.db, retention).sum(new Date("2100-01-01"));
  await database.close();
  const [grants] = page.match(/(?<=```sql\n)create role grafana[^`]*/) ?? [];
  const queries = page.match(/(?<=`)select [^`]*/g) ?? [];
  expect(queries).toHaveLength(3);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(grants!);
  await client.query("set role grafana");
  for (const query of queries) {
    const { rows } = await client.query(query.replace("'room1'", "'a'").replace("lead = 6", "lead = 1"));
    expect(rows.length, query).toBeGreaterThan(0);
  }
  await client.query("reset role; drop owned by grafana; drop role grafana");
  await client.end();
});
