import { sql } from "kysely";
import { expect, test } from "vitest";
import { resolutionOf, rounderOf, roundQuantiles, valueOfStep } from "../../../../../core/data/resolution.ts";
import type { Forecast } from "../../../../../core/forecast/forecast.ts";
import type { Mix } from "../../../../../core/mix/mix.ts";
import { sharesOf } from "../../../../../core/mix/shares.ts";
import { everyLead } from "../../../../../core/model/leads.ts";
import { addSeconds } from "../../../../../core/time.ts";
import { postgresDays } from "../../../../../functions/adapters/postgres/day/days.ts";
import { numbersApart, toIssuedRows } from "../../../../../functions/adapters/postgres/forecast/issued-row.ts";
import { postgresLedger } from "../../../../../functions/adapters/postgres/ledger.ts";
import { postgresScores } from "../../../../../functions/adapters/postgres/score/scores.ts";
import { createViews } from "../../../../../functions/adapters/postgres/views.ts";
import { toForecastResponse } from "../../../../../functions/api/present.ts";
import { humidity, randomOf, temperature, wave } from "../../../../builders.ts";
import { forecastOf, outcomeOf, slot } from "../builders.ts";
import { freshDatabase } from "../fresh-database.ts";

const database = freshDatabase();

const leads = 24;
const kept = { mixDays: 2, forecastDays: 400, cycleDays: 90, isArchived: true };

/** A forecast as core issues it: 24 leads, everything in the target's steps, ridge missing. */
function issuedForecast(target = temperature, overrides: Partial<Forecast> = {}): Forecast {
  const round = rounderOf(target);
  const middle = wave(leads, { mean: 21 }).map(round);
  const quantiles = roundQuantiles(
    { q10: middle.map((value) => value - 0.7), q50: middle, q90: middle.map((value) => value + 0.9) },
    round,
  );
  const float = (values: number[]) => values.map(Math.fround);
  const expert = { q10: float(quantiles.q10), q50: float(quantiles.q50), q90: float(quantiles.q90) };
  const flat = (value: number, parts: number) => new Array<number>(leads).fill(Math.round(value * parts) / parts);
  const mix: Mix = {
    experts: [expert, null, expert, expert, null],
    weights: [flat(0.7, 4096), flat(0, 4096), flat(0.2, 4096), flat(0.1, 4096), flat(0, 4096)],
    widths: [flat(1.1, 1024), flat(0.9, 1024)],
    middle: flat(-0.2, 1024),
    learntThrough: addSeconds(slot, -1200),
    challengerId: null,
  };
  return forecastOf({
    target: target.name,
    unit: target.unit,
    resolution: resolutionOf(target),
    ...quantiles,
    lastValue: middle[0]!,
    seasonalNaive: middle.map((value, h) => (h === 3 ? null : value)),
    mix,
    ...overrides,
  });
}

/** Without what only learning needs. */
const bare = ({ mix, seasonalNaive, ...rest }: Forecast) => rest;
const both = () => [issuedForecast(humidity), issuedForecast(temperature)];
const stored = () =>
  postgresScores(database.db).maturing(["room1"], addSeconds(slot, -86_400), addSeconds(slot, 86_400));

test("one row holds all targets in one value, and gives back every field of each", async () => {
  await postgresLedger(database.db).record([outcomeOf()], both());
  const { rows } = await sql`
    select num_nonnulls(learnt_through, reason_texts, steps, exact, shares)::int as beside from issued
    where packed is not null`.execute(database.db);
  expect(rows).toEqual([{ beside: 0 }]);
  expect(await stored()).toEqual(both());
});

test("what is no whole number of steps, or outside them, is kept exactly", async () => {
  const odd = [issuedForecast(humidity), issuedForecast(temperature, { lastValue: Math.PI })];
  await postgresLedger(database.db).record([outcomeOf()], odd);
  expect(await stored()).toEqual(odd);
  const { rows } = await sql`select packed, steps from issued`.execute(database.db);
  expect(rows).toEqual([{ packed: null, steps: null }]);
});

test("the row and the view for people say the same, to the last bit", async () => {
  const served = forecastOf({ sensorId: "room2", q10: [0.1, 0, 1 / 3], mix: null, seasonalNaive: [null, null, null] });
  await postgresLedger(database.db).record([], [...both(), served]);
  const { rows } = await sql<Record<string, unknown>>`
    select sensor_id, target, model_key, unit, method, imputed_steps, q10, q50, q90, last_value, step_seconds, code_version,
      neighbours from forecast order by sensor_id, target`.execute(database.db);
  expect(rows).toEqual(
    [...both(), served].map((one) => ({
      sensor_id: one.sensorId,
      target: one.target,
      model_key: one.modelKey,
      unit: one.unit,
      method: one.method,
      imputed_steps: one.imputedSteps,
      q10: one.q10,
      q50: one.q50,
      q90: one.q90,
      last_value: one.lastValue,
      step_seconds: 600,
      code_version: "test",
      neighbours: one.neighbours,
    })),
  );
  const { rows: points } = await sql`select count(*)::int as n from forecast_point where sensor_id = 'room1'`.execute(
    database.db,
  );
  expect(points).toEqual([{ n: 2 * leads }]);
});

test("without its pack a forecast is served as it was, but for what only learning needs", async () => {
  await postgresLedger(database.db).record([outcomeOf()], both());
  const views = createViews(database.db);
  const read = () => views.latestForecasts(["room1"], ["humidity", "temperature"], null);
  const before = await read();
  await sql`delete from issued_mix`.execute(database.db);
  expect((await read()).map(bare)).toEqual(before.map(bare));
});

test("a day of experts goes when its leads have matured and two days have passed, and the answers stay the same", async () => {
  const ledger = postgresLedger(database.db);
  await ledger.record([outcomeOf()], both());
  const views = createViews(database.db);
  const answer = async () =>
    (await views.latestForecasts(["room1"], ["humidity", "temperature"], null)).map((one) =>
      toForecastResponse(one, () => undefined),
    );
  const before = await answer();
  expect(before[0]!.mix!.groups[0]!.weights).toMatchObject({ lstm: 0.7, ridge: 0 });
  const days = postgresDays(database.db, kept);
  const mix = { table: "issued_mix", day: "2026-03-01" };
  const dayAt = new Date("2026-03-01T00:00:00Z");
  const end = addSeconds(dayAt, 3 * 86_400 + leads * 600);
  expect(await days.drop(addSeconds(end, -1))).toEqual([]);
  expect(await days.droppable(mix, addSeconds(end, -1))).toMatchObject({
    ok: false,
    reason: /issued_mix of 2026-03-01: is kept until/,
  });

  await ledger.openCycle({ slot, sensors: 2, shards: 1, now: slot });
  await ledger.closeFanOut(slot, slot);
  expect(await days.droppable(mix, end)).toMatchObject({ ok: false, reason: /lacks outcomes/ });
  await ledger.finishCycle(slot, slot);
  expect(await days.drop(end)).toEqual([mix]);
  expect(await days.drop(end)).toEqual([]);
  expect(await answer()).toEqual(before);
  expect((await stored()).map(({ mix }) => mix)).toEqual([null, null]);
});

test("makes the days that come", async () => {
  await postgresDays(database.db, kept).prepare(slot);
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_inherits join pg_class on oid = inhrelid where inhparent = 'issued'::regclass
    order by 1`.execute(database.db);
  expect(rows.map(({ name }) => name.slice(-4))).toEqual(["0301", "0302", "0303", "0304"]);
});

test("reads along what lies in the table of before", async () => {
  const old = forecastOf({
    ...{ origin: addSeconds(slot, -600), slot: addSeconds(slot, -600), mix: null, neighbours: null },
  });
  await sql`
    insert into forecast_before (sensor_id, target, origin, model_key, is_served, slot, issued_at, unit, step_seconds, method,
      model_id, model_sha256, source_watermark, imputed_steps, code_version, q10, q50, q90, last_value, seasonal_naive, ends_at)
    values ('room1', 'temperature', ${old.origin}, 'model-a', true, ${old.slot}, ${old.issuedAt}, '°C', 600, 'lstm',
      'model-a', ${"a".repeat(64)}, ${old.sourceWatermark}, 2, 'test', ${old.q10}::float8[], ${old.q50}::float8[],
      ${old.q90}::float8[], 20.1, array[19.9, null, 20.3], ${addSeconds(old.origin, 1800)})`.execute(database.db);
  const made = forecastOf({ mix: null });
  await postgresLedger(database.db).record([], [made]);
  const views = createViews(database.db);
  const query = { sensorId: "room1", targets: ["temperature"], from: null, to: null, asOf: null, limit: 9 };
  const zero = (one: Forecast) => ({ ...one, q10: one.q10.map((value) => value + 0) });
  expect((await views.forecasts(query)).map(zero)).toEqual([made, old].map(zero));
  expect(await views.forecasts({ ...query, limit: 1 })).toHaveLength(1);
  const asOf = addSeconds(slot, 1);
  expect((await views.latestForecasts(["room1"], ["temperature"], asOf)).map(zero)).toEqual([old].map(zero));
  expect((await stored()).map(zero)).toEqual([old, made].map(zero));
  const series = await views.leadSeries({ ...query, lead: 3 });
  expect(series.map(({ origin, q50 }) => [origin, q50])).toEqual([old, made].map((one) => [one.origin, one.q50[2]]));

  // Moved over, it is the same to whoever asks.
  const answers = async () => [
    (await views.forecasts(query)).map(zero).map(bare),
    (await views.latestForecasts(["room1"], ["temperature"], asOf)).map(zero).map(bare),
    (await views.forecastsOfSlot(["room1"], old.slot)).map(zero).map(bare),
    (await stored()).map(zero),
  ];
  const before = await answers();
  const days = postgresDays(database.db, kept);
  expect([await days.move(), await days.move()]).toEqual([1, 0]);
  expect((await sql`select from forecast_before`.execute(database.db)).rows).toEqual([]);
  expect(await answers()).toEqual(before);
});

test("two who make the same day at once both find it", async () => {
  const days = Array.from({ length: 8 }, () => sql`select ensure_day('2026-03-02')`.execute(database.db));
  await Promise.all(days);
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from pg_inherits where inhparent = 'issued'::regclass`.execute(database.db);
  expect(rows).toEqual([{ n: 1 }]);
});

test("a sensor and slot take less than half of the bytes that 16-bit steps take", () => {
  const { rows } = toIssuedRows(both());
  expect(rows).toHaveLength(1);
  const shares = 2 * 4 * 7;
  expect(rows[0]!.packed!.length).toBeLessThan((2 * (2 + 2 * 3 * leads + shares)) / 2);
  expect(rows[0]!.pack!.length).toBeLessThan(2100);
});

test("rows as the versions before wrote them are read along, in one answer with those of now", async () => {
  const made = both();
  await postgresLedger(database.db).record([outcomeOf()], made);
  const read = async () => [
    await stored(),
    [
      ...(await postgresScores(database.db).matured(
        [{ sensorId: "room1", from: addSeconds(slot, -86_400) }],
        addSeconds(slot, 86_400),
      )),
    ].flat(),
    (await sql`select * from forecast order by target`.execute(database.db)).rows,
    await createViews(database.db).latestForecasts(["room1"], ["humidity", "temperature"], null),
  ];
  const now = await read();
  expect(now[1]).toHaveLength(2 * leads);
  const shares = made.map((one) => one.mix!).map((mix) => sharesOf(mix, everyLead(leads)));
  const { numbers, learnt } = {
    numbers: numbersApart(made, null, null),
    learnt: made.map((one) => one.mix!.learntThrough),
  };
  await sql`
    update issued set packed = null, steps = ${numbers.steps}::int2[], learnt_through = ${learnt}::timestamptz[],
      shares = ${shares.flat()}::int2[]`.execute(database.db);
  expect(await read()).toEqual(now);
});

test("the database reads of packed numbers what was issued, whatever they are", async () => {
  const random = randomOf(7);
  const pick = (most: number) => Math.floor(random() * (2 * most + 1)) - most;
  const resolution = resolutionOf(temperature)!;
  const made = Array.from({ length: 60 }, (_, i) => {
    const most = [0, 1, 3, 60, 900, 8_000][i % 6]!;
    let middle = pick(20_000);
    const steps = Array.from({ length: leads }, () => {
      middle = Math.max(-24_000, Math.min(24_000, middle + pick(most)));
      return [middle - pick(most), middle, middle + pick(most)] as const;
    });
    const level = (q: 0 | 1 | 2) => steps.map((one) => valueOfStep(resolution, one[q]));
    const mix = { ...issuedForecast().mix!, learntThrough: i % 3 === 0 ? null : addSeconds(slot, -600 * (i % 7)) };
    const values = { q10: level(0), q50: level(1), q90: level(2), lastValue: valueOfStep(resolution, pick(32_767)) };
    return issuedForecast(temperature, { ...values, sensorId: `s${i}`, mix: i % 5 === 0 ? null : mix });
  });
  await postgresLedger(database.db).record([], made);
  const { rows } = await sql<Record<string, unknown>>`
    select f.sensor_id, q10, q50, q90, last_value, mix_through from forecast f join sensor_key k using (sensor_id)
    join issued i using (sensor_no) where i.packed is not null order by k.sensor_no`.execute(database.db);
  const order = [...made].sort((a, b) => (a.sensorId < b.sensorId ? -1 : 1));
  expect(rows).toEqual(
    order.map(({ sensorId, q10, q50, q90, lastValue, mix }) => ({
      ...{ sensor_id: sensorId, q10, q50, q90, last_value: lastValue, mix_through: mix?.learntThrough ?? null },
    })),
  );
});
