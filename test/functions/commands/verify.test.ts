import { type RawBuilder, sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Forecast } from "../../../core/forecast/forecast.ts";
import { maturedLeads } from "../../../core/forecast/matured.ts";
import type { Score } from "../../../core/forecast/score.ts";
import { everyLead } from "../../../core/model/leads.ts";
import type { ModelStore } from "../../../core/model/ports.ts";
import { sha256Of } from "../../../core/model/sha256.ts";
import { defaultScoreSettings } from "../../../core/operations/score.ts";
import { scoreLeads } from "../../../core/operations/score-leads.ts";
import { verify } from "../../../core/operations/verify.ts";
import { addSeconds } from "../../../core/time.ts";
import { memoryFiles, memoryStore } from "../../../functions/adapters/memory-store.ts";
import { type Database, openDatabase } from "../../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../../functions/adapters/postgres/schema.ts";
import {
  type Moment,
  openMoment,
  openScore,
  packMoment,
  packScore,
} from "../../../functions/adapters/postgres/score/score-pack.ts";
import { runVerify } from "../../../functions/commands/verify.ts";
import { timesOf } from "../../../functions/config/cron.ts";
import { predictorPorts } from "../../../functions/runtime/predictor.ts";
import { fleetOf, readingsOf, someSlot, temperature } from "../../builders.ts";
import { testClock } from "../../fakes/clock.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { forecastOf, manifestOf, outcomeOf, someMix } from "../adapters/postgres/builders.ts";

const at = (steps: number) => addSeconds(someSlot, steps * 600);
const fleet = fleetOf({ leads: everyLead(3), targets: [temperature] });
const values = Array.from({ length: 120 }, (_, i) => 20 + Math.sin(i / 9));
/** One reading a step, the newest at step 20. */
const readings = readingsOf({ temperature: values }, { end: at(20) });
const valueAt = (steps: number) => values[99 + steps]!;
const { shortestSeconds, between } = timesOf("*/10 * * * *");
const settings = {
  fleet,
  score: defaultScoreSettings(fleet),
  schedule: { stepSeconds: 600, cycleSeconds: shortestSeconds, dueSlots: between },
};
const onnx = new TextEncoder().encode("a graph");
const modelSha256 = await sha256Of(onnx);

let postgres: TestPostgres;
let database: Database<PredictorSchema>;
let ports: ReturnType<typeof open>;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.stop());

function open(store: ModelStore) {
  const follower = memoryFollower(new Map([["room1", readings]]));
  return { ...predictorPorts(database), clock: testClock(at(400)), follower, store, fleetFiles: memoryFiles() };
}

function madeAt(steps: number, overrides: Partial<Forecast> = {}): Forecast {
  const level = valueAt(steps);
  const band = (by: number) => [1, 2, 3].map((lead) => level + by * lead);
  return forecastOf({
    ...{
      origin: at(steps),
      slot: at(steps),
      modelSha256,
      mix: { ...someMix, learntThrough: at(steps), challengerId: null },
    },
    ...{ q10: band(-0.3), q50: band(0.01), q90: band(0.3), seasonalNaive: [null, null, null] },
    ...overrides,
  });
}

/** A predictor as it is when nothing ever went wrong: ten slots, their forecasts and scores, one model. */
beforeEach(async () => {
  database = openDatabase<PredictorSchema>({
    url: await postgres.createPredictorDatabase(),
    side: "predictor",
    max: 2,
  });
  ports = open(memoryStore());
  const manifest = manifestOf("model-a", { modelSha256 });
  const golden = { origin: at(0).toISOString(), readings: { at: [], values: {} }, quantiles: [], tolerance: 1 };
  await ports.store.put({ manifest, onnx, golden });
  await ports.registry.register({ manifest, statusReason: "test", now: at(-9) });
  await ports.registry.promote("model-a", "test", at(-9));
  const forecasts = Array.from({ length: 10 }, (_, i) => madeAt(i));
  for (const one of forecasts) {
    await ports.ledger.openCycle({ slot: one.slot, sensors: 1, shards: 1, now: one.slot });
    await ports.ledger.closeFanOut(one.slot, one.slot);
    await ports.ledger.record([outcomeOf({ slot: one.slot })], [one]);
  }
  await ports.ledger.finishCycles(at(20), at(20));
  const actuals = new Map(Array.from({ length: 13 }, (_, i) => [at(i).getTime(), valueAt(i)]));
  await ports.scores.record(
    scoreLeads(
      maturedLeads(forecasts, () => true),
      (_sensor, _target, moment) => actuals.get(moment.getTime()),
      at(20),
    ),
  );
  return () => database.close();
});

const run = (...args: string[]) => runVerify(ports, settings, args);

/** Stores another score in place of the one of the fourth moment. */
async function changeScore(change: (score: Score) => Score): Promise<void> {
  const { rows } = await sql<Moment>`select heads, lists from scored_moment where target_at = ${at(4)}`.execute(
    database.db,
  );
  const [part] = openMoment(rows[0]!);
  const named = { sensorId: "room1", target: "temperature", modelKey: "model-a", targetAt: at(4) };
  const { heads, lists } = packMoment([packScore(change(openScore(part!, named)), part!.kindNo, true)]);
  await sql`update scored_moment set heads = ${heads}, lists = ${lists} where target_at = ${at(4)}`.execute(
    database.db,
  );
}

/** The rules that found something, each with its first case. */
async function found(): Promise<[rule: string, example: string | undefined][]> {
  const results = await verify(ports, { ...settings, sample: 50 }, { from: at(-5), to: at(30) });
  return results.filter(({ count }) => count > 0).map(({ rule, examples }) => [rule, examples[0]]);
}

/** Takes the constraints away that would refuse what is to be planted. */
async function unguarded(plant: RawBuilder<unknown>): Promise<void> {
  await sql`do $$ declare c record; begin
    for c in select conrelid::regclass as t, conname from pg_constraint
      where contype in ('c', 'p') and conparentid = 0 and conislocal and coninhcount = 0
        and connamespace = (select relnamespace from pg_class where oid = to_regclass('outcome'))
    loop execute format('alter table %s drop constraint %I cascade', c.t, c.conname); end loop;
    for c in select conrelid::regclass as t, conname from pg_constraint
      where contype = 'c' and connamespace = (select relnamespace from pg_class where oid = to_regclass('outcome'))
    loop execute format('alter table %s drop constraint if exists %I', c.t, c.conname); end loop;
  end $$`.execute(database.db);
  await plant.execute(database.db);
}

test("finds nothing where nothing is wrong, and says so", async () => {
  expect(await found()).toEqual([]);
  const { ok, text } = await run("--from", at(-5).toISOString(), "--to", at(30).toISOString());
  expect(ok).toBe(true);
  expect(text.match(/│ nothing +│/g)).toHaveLength(7);
  expect(JSON.parse((await run("--json")).text)).toMatchObject({ ok: true, found: 0 });
});

const planted: [what: string, plant: () => Promise<unknown>, finding: RegExp][] = [
  [
    "a slot without cycle",
    () => sql`delete from cycle where slot = ${at(4)}`.execute(database.db),
    /every slot has a cycle,2026-03-01T12:40/,
  ],
  [
    "a sensor without outcome",
    () => sql`delete from outcome where slot = ${at(4)}`.execute(database.db),
    /outcome,slot 2026-03-01T12:40:00.000Z: 0 of 1 sensors/,
  ],
  [
    "a reading of after the origin",
    () => unguarded(sql`update issued set source_watermark = ${at(5)} where slot = ${at(4)}`),
    /origin,room1 temperature from 2026-03-01T12:40:00.000Z by model-a: read to 2026-03-01T12:50/,
  ],
  [
    "something learnt of after the origin",
    () => unguarded(sql`update issued set learnt_through = array[${at(5)}::timestamptz] where slot = ${at(4)}`),
    /origin,.*learnt to 2026-03-01T12:50/,
  ],
  [
    "a forecast issued before its origin",
    () => unguarded(sql`update issued set issued_at = ${at(3)} where slot = ${at(4)}`),
    /origin,.*issued at 2026-03-01T12:30/,
  ],
  [
    "a model trained after the origin",
    () =>
      sql`update model set manifest = jsonb_set(manifest, '{training,to}', to_jsonb(${at(7).toISOString()}::text))`.execute(
        database.db,
      ),
    /origin,.*12:00:00.000Z by model-a: model of data to 2026-03-01T13:10/,
  ],
  [
    "crossed quantiles",
    () => ports.ledger.record([], [madeAt(12, { q10: [9, 30, 9], q90: [31, 31, 31] })]),
    /cross,room1 temperature from 2026-03-01T14:00:00.000Z by model-a: lead 2/,
  ],
  [
    "a second row of one outcome",
    () => unguarded(sql`insert into outcome select * from outcome where slot = ${at(4)}`),
    /twice,outcome room1 .*: 2 rows/,
  ],
  [
    "a second row of one forecast",
    () => unguarded(sql`insert into issued select * from issued where slot = ${at(4)}`),
    /twice,forecast room1 temperature .* model-a: 2 rows/,
  ],
  [
    "a second served forecast of a slot",
    () => ports.ledger.record([], [madeAt(4, { modelKey: "persistence", modelId: null, mix: null })]),
    /twice,served forecast room1 temperature .*: 2 rows/,
  ],
  [
    "two champions",
    async () => {
      await sql`drop index model_one_champion`.execute(database.db);
      await sql`insert into model select 'model-b', sensor_id, status, status_reason, manifest, model_sha256, created_at from model`.execute(
        database.db,
      );
    },
    /twice,champion room1: 2 rows/,
  ],
  [
    "a changed error",
    () => changeScore((score) => ({ ...score, error: score.error.with(1, score.error[1]! + 0.01) })),
    /come to,room1 temperature at 2026-03-01T12:40:00.000Z by model-a: lead 2 has error/,
  ],
  [
    "an actual that the source does not know",
    () =>
      changeScore((score) => ({
        ...score,
        actual: score.actual + 1,
        error: score.error.map((one) => one! + 1),
      })),
    /come to,room1 temperature at 2026-03-01T12:40/,
  ],
  [
    "a lead scored though issued too late",
    () => unguarded(sql`update issued set issued_at = ${at(6)} where slot = ${at(4)}`),
    /come to,.*lead \d is scored, but no forecast of it/,
  ],
  [
    "a lead that is never scored",
    () => changeScore((score) => ({ ...score, error: score.error.with(0, null) })),
    /come to,.*12:40:00.000Z by model-a: lead 1 was issued in time/,
  ],
  [
    "a missing artefact",
    async () => {
      ports = open(memoryStore());
    },
    /registered,model-a \(champion\): its artefact is missing/,
  ],
  [
    "an altered artefact",
    async () => {
      const { get } = ports.store;
      const altered = async (id: string) => ({ ...(await get(id))!, onnx: new TextEncoder().encode("b graph") });
      ports = open({ ...ports.store, get: altered });
    },
    /registered,model-a \(champion\): bytes have sha256/,
  ],
];

test.each(planted)("finds %s", async (_, plant, finding) => {
  await plant();
  const all = await found();
  expect(all.map(String)).toContainEqual(expect.stringMatching(finding));
  const { ok, text } = await run("--from", at(-5).toISOString(), "--to", at(30).toISOString());
  expect(ok).toBe(false);
  expect(text).toContain(`✗ ${all[0]![0]}`);
});

test("keeps to the slots that were asked for, and refuses what is no time", async () => {
  await sql`delete from outcome where slot = ${at(4)}`.execute(database.db);
  expect(await run("--from", at(5).toISOString(), "--to", at(9).toISOString())).toMatchObject({ ok: true });
  await expect(run("--from", "yesterday")).rejects.toThrow(/npm run verify/);
  await expect(run("--from", at(5).toISOString(), "--to", at(4).toISOString())).rejects.toThrow(/after --to/);
});

test("leaves a slot in peace that may still be at work", async () => {
  await sql`delete from outcome where slot = ${at(9)}`.execute(database.db);
  ports.clock.set(at(10));
  expect(await found()).toEqual([]);
  ports.clock.set(at(11));
  expect((await found()).map(([rule]) => rule)).toEqual(["every sensor of a slot has an outcome"]);
});
