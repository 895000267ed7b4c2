import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { backup } from "../../../../../core/operations/backup/backup.ts";
import { restore } from "../../../../../core/operations/backup/restore.ts";
import { retain } from "../../../../../core/operations/retain.ts";
import { addSeconds } from "../../../../../core/time.ts";
import { folderBackupFiles } from "../../../../../functions/adapters/backup-files.ts";
import { postgresAnnotations } from "../../../../../functions/adapters/postgres/annotation/annotations.ts";
import { postgresBackupSource } from "../../../../../functions/adapters/postgres/backup/source.ts";
import { postgresRestoreTarget } from "../../../../../functions/adapters/postgres/backup/target.ts";
import { type Database, openDatabase } from "../../../../../functions/adapters/postgres/connection/pool.ts";
import { postgresDays } from "../../../../../functions/adapters/postgres/day/days.ts";
import { postgresLedger } from "../../../../../functions/adapters/postgres/ledger.ts";
import { migrate } from "../../../../../functions/adapters/postgres/migrate.ts";
import type { PredictorSchema } from "../../../../../functions/adapters/postgres/schema.ts";
import { postgresScores } from "../../../../../functions/adapters/postgres/score/scores.ts";
import { migrations } from "../../../../../functions/migrations/all.ts";
import { annotationOf } from "../../../../contracts/annotations.ts";
import { quietLog } from "../../../../fakes/log.ts";
import { startTestPostgres, type TestPostgres } from "../../../../postgres.ts";
import { forecastOf, outcomeOf, scoreOf, slot } from "../builders.ts";

let postgres: TestPostgres;
let database: Database<PredictorSchema>;
let folder: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "iot-lstm-retention-"));
  database = openDatabase({ url: await postgres.createPredictorDatabase(), side: "predictor", max: 4 });
  return async () => {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  };
});

const day = (days: number) => addSeconds(slot, days * 86_400);
const retention = { mixDays: 2, forecastDays: 30, cycleDays: 10, isArchived: true };
const count = async (table: string) => {
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}`.execute(database.db);
  return rows[0]!.n;
};

async function fill(at: Date): Promise<void> {
  const ledger = postgresLedger(database.db);
  await ledger.openCycle({ slot: at, sensors: 1, shards: 1, now: at });
  await ledger.record([outcomeOf({ slot: at })], [forecastOf({ slot: at, origin: at })]);
  await ledger.finishCycle(at, at);
  await postgresScores(database.db).record([
    scoreOf({ targetAt: addSeconds(at, 600) }),
    scoreOf({
      targetAt: addSeconds(at, 1200),
      error: [2, 1, null],
      pinball: [1, 1, null],
      isCovered: [true, true, null],
    }),
  ]);
}

async function archive(now: Date): Promise<void> {
  const ports = {
    source: postgresBackupSource(database.db, "test"),
    files: folderBackupFiles(folder),
    log: quietLog(),
  };
  await backup(ports, { codeVersion: "test", closedAfterSeconds: 86_400, retentionDays: 9 }, () => now);
}

test("sums a day by lead once it is over, and keeps the sums for ever", async () => {
  await fill(slot);
  const days = postgresDays(database.db, retention);
  expect(await days.sum(day(1.4))).toEqual([]);
  expect(await days.sum(day(3))).toEqual(["2026-03-01"]);
  expect(await days.sum(day(3))).toEqual([]);
  const { rows } = await sql`
    select sensor_id, day::text, target, model_key, leads, n, covered, error, square, pinball, persistence_error,
      seasonal_naive_n, seasonal_naive_error, error_where_seasonal_naive from score_day`.execute(database.db);
  expect(rows).toEqual([
    {
      ...{ sensor_id: "room1", day: "2026-03-01", target: "temperature", model_key: "model-a", leads: [1, 2, 3] },
      ...{ n: [2, 1, 1], covered: [2, 1, 0], error: [2.5, 1, 0.25], square: [4.25, 1, 0.0625] },
      ...{ pinball: [1.25, 1, 0.125], persistence_error: [2, 0, 2], seasonal_naive_n: [0, 0, 1] },
      ...{ seasonal_naive_error: [0, 0, 1.5], error_where_seasonal_naive: [0, 0, 0.25] },
    },
  ]);
});

test("sums a day anew when an annotation leaves something out of it, and again when that is taken back", async () => {
  await fill(slot);
  const { db } = database;
  const days = postgresDays(db, retention);
  const annotations = postgresAnnotations(db);
  const act = { by: "ann", now: day(3), stepSeconds: 600 };
  const sums = async () => (await sql`select leads, n, error from score_day`.execute(db)).rows;
  await days.sum(day(3));
  const whole = await sums();
  // Of the two moments scored, the first and not the second.
  const outage = annotationOf({ from: addSeconds(slot, 10), to: addSeconds(slot, 590) });
  await annotations.add(outage, 600);
  await annotations.add({ ...outage, annotationId: "event", kind: "event", from: slot, to: null }, 600);
  await annotations.add({ ...outage, annotationId: "other", sensorId: "room2", from: slot, to: null }, 600);
  await days.sum(day(3));
  expect(await sums()).toEqual([{ leads: [1, 2], n: [1, 1], error: [2, 1] }]);
  await annotations.change("one", { ...outage, target: "humidity" }, act);
  await days.sum(day(3));
  expect(await sums()).toEqual(whole);
  await annotations.change("one", { ...outage, to: null }, act);
  await days.sum(day(3));
  expect(await sums()).toEqual([]);
  await annotations.remove("one", act);
  await days.sum(day(3));
  expect(await sums()).toEqual(whole);
  // What has no scores any more stays as it was summed.
  await sql`drop table scored_moment_20260301`.execute(db);
  await annotations.restore("one", act);
  await days.sum(day(3));
  expect(await sums()).toEqual(whole);
});

test("drops no day before its time, its sums and its archive; then each table's by its own time", async () => {
  await fill(slot);
  await fill(day(40));
  const days = postgresDays(database.db, retention);
  const reason = async (table: string, now: Date) => days.droppable({ table, day: "2026-03-01" }, now);
  expect(await reason("outcome", day(10.4))).toMatchObject({ ok: false, reason: /is kept until 2026-03-12/ });
  expect(await reason("outcome", day(10.5))).toMatchObject({
    ok: false,
    reason: /outcome of 2026-03-01: is not archived/,
  });
  expect(await reason("scored_moment", day(31))).toMatchObject({ ok: false, reason: /is not summed yet/ });
  await days.sum(day(31));
  expect(await reason("scored_moment", day(31))).toMatchObject({ ok: false, reason: /is not archived/ });

  await archive(day(31));
  expect(await days.drop(day(11))).toEqual([
    { table: "issued_mix", day: "2026-03-01" },
    { table: "outcome", day: "2026-03-01" },
  ]);
  expect([await count("outcome"), await count("forecast"), await count("scored_moment")]).toEqual([1, 2, 4]);
  await postgresScores(database.db).record([scoreOf({ targetAt: addSeconds(slot, 1800) })]);
  expect(await reason("scored_moment", day(31))).toMatchObject({ ok: false, reason: /is not archived as it is/ });
  await archive(day(31));
  // The late score made the day anew in each table, empty.
  expect((await days.drop(day(31))).map(({ table }) => table)).toEqual([
    "issued",
    "issued_mix",
    "outcome",
    "scored_moment",
  ]);
  expect([await count("forecast"), await count("scored_moment"), await count("score_day")]).toEqual([1, 2, 1]);
});

test("without archiving a day goes by its time alone", async () => {
  await fill(slot);
  const days = postgresDays(database.db, { ...retention, isArchived: false });
  await days.sum(day(31));
  expect((await days.drop(day(31))).map(({ table }) => table)).toEqual([
    "issued",
    "issued_mix",
    "outcome",
    "scored_moment",
  ]);
});

test("one pass makes, sums, drops and trims; what fails costs no other step", async () => {
  await fill(slot);
  const log = quietLog();
  await retain({ days: postgresDays(database.db, { ...retention, isArchived: false }), log }, day(31));
  expect([await count("forecast"), await count("cycle"), await count("score_day")]).toEqual([0, 0, 1]);
  const broken = { ...postgresDays(database.db, retention), prepare: () => Promise.reject(new Error("away")) };
  await fill(day(1));
  await retain({ days: broken, log }, day(31));
  expect(log.lines.filter(({ event }) => event === "retain.failed")).toHaveLength(1);
  expect(await count("cycle")).toBe(0);
});

/** A database of the version before days, with an outcome and a score at each of these moments, brought up to date. */
async function upgraded(moments: Date[]): Promise<Database<PredictorSchema>> {
  const old = openDatabase<PredictorSchema>({ url: await postgres.createDatabase(), side: "predictor", max: 2 });
  const newer = Object.keys(migrations).filter((name) => name >= "0013");
  const kept = newer.map((name) => [name, migrations[name]!] as const);
  for (const name of newer) delete migrations[name];
  try {
    await migrate(old.db);
    for (const at of moments) {
      await sql`insert into outcome (sensor_id, slot, status, decided_at) values ('room1', ${at}, 'issued', ${at})`.execute(
        old.db,
      );
      await sql`insert into score (sensor_id, target, target_at, model_key, actual, scored_at, error, pinball, is_covered,
        persistence_error, seasonal_naive_error) values ('room1', 'temperature', ${at}, 'a', 1, ${at}, '{1}', '{1}', '{t}',
        '{1}', '{null}')`.execute(old.db);
    }
  } finally {
    for (const [name, migration] of kept) migrations[name] = migration;
  }
  await migrate(old.db);
  return old;
}

test("what was stored before there were days is one part of its table, read and summed with it", async () => {
  const old = await upgraded([slot]);
  try {
    const ledger = postgresLedger(old.db);
    expect(await ledger.decided(["room1"], slot)).toEqual(new Set(["room1"]));
    await ledger.record([outcomeOf({ status: "refused" }), outcomeOf({ slot: day(1) })], []);
    const { rows } = await sql`select status, slot from outcome order by slot`.execute(old.db);
    expect(rows).toEqual([
      { status: "issued", slot },
      { status: "issued", slot: day(1) },
    ]);
    const scores = postgresScores(old.db);
    await scores.record([scoreOf({ targetAt: slot, modelKey: "a", error: [9, 9, 9] }), scoreOf({ targetAt: day(1) })]);
    expect(await postgresDays(old.db, retention).sum(day(3))).toEqual(["2026-03-01", "2026-03-02"]);
    // What was scored before is completed where it is; what comes after the days that were made for it, lies anew.
    await scores.record([scoreOf({ targetAt: day(10) })]);
    const { rows: stored } = await sql`
      select 'score' as "table", target_at as at, sums[1] as leads from score
      union all select 'scored_moment', target_at, sums[1] from score_total where target_at > ${day(9)} order by 2`.execute(
      old.db,
    );
    expect(stored).toEqual([
      { table: "score", at: slot, leads: 3 },
      { table: "score", at: day(1), leads: 2 },
      { table: "scored_moment", at: day(10), leads: 2 },
    ]);
    expect((await scores.scored(["room1"], day(-1), day(10))).map(({ scored }) => scored).sort()).toEqual([2, 2, 3]);
    expect((await sql`select day::text from score_day order by 1`.execute(old.db)).rows).toEqual([
      { day: "2026-03-01" },
      { day: "2026-03-02" },
    ]);
  } finally {
    await old.close();
  }
});

test("what was stored before there were days goes with the last of them, from an archive that has it all", async () => {
  const old = await upgraded([day(-40), day(-1), slot]);
  const other = openDatabase<PredictorSchema>({ url: await postgres.createDatabase(), side: "predictor", max: 2 });
  const files = folderBackupFiles(folder);
  const now = day(31);
  try {
    const days = postgresDays(old.db, retention);
    // The days that are empty go as well.
    const drop = async (at: Date) => (await days.drop(at)).filter((one) => one.day === "2026-03-01");
    await days.sum(now);
    expect(await drop(now)).toEqual([]);
    const rows = async (db: Database<PredictorSchema>, table: string, at: string) =>
      (await sql`select ${sql.ref(at)} as at from ${sql.table(table)} order by 1`.execute(db.db)).rows;
    const all = [day(-40), day(-1), slot].map((at) => ({ at }));
    expect([await rows(old, "outcome", "slot"), await rows(old, "score", "target_at")]).toEqual([all, all]);

    const source = postgresBackupSource(old.db, "test");
    const settings = { codeVersion: "test", closedAfterSeconds: 86_400, retentionDays: 9 };
    await backup({ source, files, log: quietLog() }, settings, () => now);
    const target = postgresRestoreTarget(other.db, "test");
    await restore({ target, files, log: quietLog() }, null);
    expect([await rows(other, "outcome", "slot"), await rows(other, "score", "target_at")]).toEqual([all, all]);

    expect(await drop(day(10))).toEqual([]);
    expect(await drop(day(11))).toEqual([{ table: "outcome", day: "2026-03-01" }]);
    expect(await drop(now)).toEqual([{ table: "score", day: "2026-03-01" }]);
    expect([await rows(old, "outcome", "slot"), await rows(old, "score", "target_at")]).toEqual([[], []]);
    const kept = await sql`select day::text from score_day order by 1`.execute(old.db);
    expect(kept.rows).toEqual([{ day: "2026-01-20" }, { day: "2026-02-28" }, { day: "2026-03-01" }]);
  } finally {
    await Promise.all([old.close(), other.close()]);
  }
});
