import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Forecast, ForecastQuery } from "../../../../../core/forecast/forecast.ts";
import { addSeconds } from "../../../../../core/time.ts";
import { type Database, openDatabase } from "../../../../../functions/adapters/postgres/connection/pool.ts";
import { postgresLedger } from "../../../../../functions/adapters/postgres/ledger.ts";
import type { PredictorSchema } from "../../../../../functions/adapters/postgres/schema.ts";
import { postgresScores } from "../../../../../functions/adapters/postgres/score/scores.ts";
import { createViews } from "../../../../../functions/adapters/postgres/views.ts";
import { startTestPostgres, type TestPostgres } from "../../../../postgres.ts";
import { forecastOf, outcomeOf, scoreOf, slot } from "../builders.ts";

const hour = 3_600;
const at = (hours: number) => addSeconds(slot, hours * hour);
const targets = ["temperature", "humidity"];

/** Hours from the newest slot: close together, with holes, and far back. */
const slots = [0, -1, -2, -30, -47, -49, -26 * 24, -29 * 24, -31 * 24, -80 * 24];
/** What served: room2 has been silent for a month, room3 has had no humidity for eighty days, some came late. */
const stored: Forecast[] = slots.flatMap((hours, n) =>
  ["room1", "room2", "room3"].flatMap((sensorId) =>
    targets.flatMap((target) => {
      if (sensorId === "room2" && hours > -30 * 24) return [];
      if (sensorId === "room3" && target === "humidity" && hours > -80 * 24) return [];
      const origin = addSeconds(at(hours), n % 3 === 1 ? -1_200 : 0);
      const made = { sensorId, target, slot: at(hours), origin, issuedAt: addSeconds(at(hours), 60), mix: null };
      return [forecastOf(made), forecastOf({ ...made, isServed: false, modelKey: "model-b", modelId: "model-b" })];
    }),
  ),
);
const served = stored.filter(({ isServed }) => isServed);

let postgres: TestPostgres;
let url: string;
let database: Database<PredictorSchema>;
beforeAll(async () => {
  postgres = await startTestPostgres();
  url = await postgres.createPredictorDatabase();
  database = openDatabase({ url, side: "predictor", max: 2 });
  const ledger = postgresLedger(database.db);
  for (const hours of slots.toReversed()) {
    const own = stored.filter((one) => one.slot.getTime() === at(hours).getTime());
    const sensorIds = [...new Set(own.map(({ sensorId }) => sensorId))];
    await ledger.record(
      sensorIds.map((sensorId) => outcomeOf({ sensorId, slot: at(hours) })),
      own,
    );
  }
  await sql`select ensure_day_of('issued', ${at(0)}::date - n) from generate_series(0, 80) as n`.execute(database.db);
});
afterAll(async () => {
  await database?.close();
  await postgres?.stop();
});

type Key = [string, string, string];
const keyOf = ({ sensorId, target, slot: own }: Forecast): Key => [sensorId, target, own.toISOString()];

/** By hand: the newest of each sensor and target. */
function newestOf(sensorIds: string[], wanted: string[], asOf: Date | null): Key[] {
  return sensorIds.flatMap((sensorId) =>
    wanted.flatMap((target) => {
      const own = served.filter((one) => one.sensorId === sensorId && one.target === target);
      const known = own.filter(({ issuedAt }) => asOf === null || issuedAt <= asOf);
      return known
        .toSorted((a, b) => b.slot.getTime() - a.slot.getTime())
        .slice(0, 1)
        .map(keyOf);
    }),
  );
}

test("finds the newest forecast of each sensor and target, however far back it lies", async () => {
  const views = createViews(database.db);
  const moments = [null, ...slots.map((hours) => at(hours + 0.5)), at(-0.5), at(900), at(-81 * 24)];
  for (const asOf of moments) {
    for (const ids of [["room1"], ["room2"], ["room3"], ["room3", "room1", "room2", "nobody"]]) {
      for (const wanted of [targets, ["humidity"], ["pressure"]]) {
        const found = await views.latestForecasts(ids, wanted, asOf);
        expect(found.map(keyOf), `${ids} ${asOf?.toISOString()}`).toEqual(newestOf(ids, wanted, asOf));
      }
    }
  }
});

test("gives the newest origins of a range, however far apart they lie", async () => {
  const views = createViews(database.db);
  const ends = [null, at(-1.2), at(-48), at(5_000)];
  for (const sensorId of ["room1", "room2", "room3"])
    for (const limit of [2, 4, 20])
      for (const from of [null, at(-32 * 24)])
        for (const to of ends)
          for (const asOf of [null, at(-40 * 24)]) {
            const query: ForecastQuery = { sensorId, targets, from, to, asOf, limit };
            const own = served.filter(
              ({ sensorId: id, origin, issuedAt }) =>
                id === sensorId &&
                (from === null || origin >= from) &&
                (to === null || origin < to) &&
                (asOf === null || issuedAt <= asOf),
            );
            const origins = [...new Set(own.map(({ origin }) => origin.getTime()))]
              .sort((a, b) => b - a)
              .slice(0, limit);
            const known = origins.flatMap((origin) =>
              targets.flatMap(
                (target) => own.find((one) => one.target === target && one.origin.getTime() === origin) ?? [],
              ),
            );
            expect((await views.forecasts(query)).map(keyOf), JSON.stringify(query)).toEqual(known.map(keyOf));
          }
});

/** The most days of `issued` that one of the statements which `ask` sends is planned for, however many there are. */
async function daysPlanned(ask: (db: Kysely<PredictorSchema>) => Promise<unknown>): Promise<number> {
  const statements: { sql: string; parameters: readonly unknown[] }[] = [];
  const db = new Kysely<PredictorSchema>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
    log: ({ query }) => void statements.push(query),
  });
  await ask(db);
  await db.destroy();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let most = 0;
  for (const { sql: text, parameters } of statements.filter((one) => /\bissued i\b/.test(one.sql))) {
    const { rows } = await client.query(`explain (format json) ${text}`, [...parameters]);
    const plan = JSON.stringify(rows);
    // Those that are only left out at run time are planned for, too.
    const days = new Set(plan.match(/"issued_\d{8}"/g)).size;
    const removed = [...plan.matchAll(/"Subplans Removed":(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    most = Math.max(most, days + removed);
  }
  await client.end();
  return most;
}

test("plans for the days around the newest forecast alone, of 81 that there are", async () => {
  const soon = (hours: number) => ({ from: at(hours), to: at(hours + 1) });
  const asks: Record<string, (db: Kysely<PredictorSchema>) => Promise<unknown>> = {
    latest: (db) => createViews(db).latestForecasts(["room1"], targets, null),
    asOf: (db) => createViews(db).latestForecasts(["room1"], targets, at(-30 * 24 + 0.5)),
    newest: (db) => createViews(db).newestForecasts(["room1", "room3"], { withMix: true }),
    page: (db) => createViews(db).forecasts({ sensorId: "room1", targets, from: null, to: null, asOf: null, limit: 2 }),
    origin: (db) => createViews(db).forecasts({ sensorId: "room1", targets, ...soon(-50), asOf: null, limit: 2 }),
    accuracy: (db) =>
      createViews(db).accuracy({
        ...{ sensorId: "room1", ...soon(-50), groupBy: "lead", stepSeconds: 600, reach: 3, withLeftOut: true },
      }),
    merits: (db) => postgresScores(db).record([scoreOf({ targetAt: at(0.5) })]),
  };
  const planned: Record<string, number> = {};
  for (const [name, ask] of Object.entries(asks)) planned[name] = await daysPlanned(ask);
  for (const [name, days] of Object.entries(planned)) {
    expect(days, name).toBeGreaterThan(0);
    expect(days, name).toBeLessThanOrEqual(5);
  }
});
