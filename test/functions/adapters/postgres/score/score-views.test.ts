import { sql } from "kysely";
import { Migrator } from "kysely/migration";
import { expect, test } from "vitest";
import type { Score } from "../../../../../core/forecast/score.ts";
import { defaultLeads, everyLead } from "../../../../../core/model/leads.ts";
import { openDatabase } from "../../../../../functions/adapters/postgres/connection/pool.ts";
import { migrate } from "../../../../../functions/adapters/postgres/migrate.ts";
import { packMoment, packScores } from "../../../../../functions/adapters/postgres/score/score-pack.ts";
import { migrations } from "../../../../../functions/migrations/all.ts";
import { startTestPostgres } from "../../../../postgres.ts";
import { slot } from "../builders.ts";
import { scoresOf } from "./score-builders.ts";

const leadLists = [everyLead(24), defaultLeads(600), [1, 2, 5, 6, 30, 36, 48, 144], [7], everyLead(130)];

/** Moments of every kind that a row can be: alone with its target or not, in steps or exact, with holes. */
function moments(): Score[][] {
  const random = [...leadLists.entries()].flatMap(([n, leads]) =>
    [1, 2, 3, 4].map((seed) => scoresOf(leads, 100 * n + seed)),
  );
  const alone = random.map((all) => all.filter(({ modelKey }) => modelKey === "served"));
  const likewise = alone.map((all) =>
    all.map((one) => ({ ...one, ownPinball: one.pinball, ownIsCovered: one.isCovered })),
  );
  const exact = random.map((all) => all.map((one) => ({ ...one, resolution: null })));
  const aloneAndExact = alone.map((all) => all.map((one) => ({ ...one, resolution: null })));
  const gappy = random.map((all, n) =>
    all.map((one, i) => ({
      ...one,
      persistenceError: one.persistenceError.map((error, h) => ((h + i) % 3 === n % 3 ? null : error)),
      seasonalNaiveError: one.seasonalNaiveError.map((error, h) => (i % 2 === 0 || (h + n) % 4 === 0 ? null : error)),
    })),
  );
  const [some] = scoresOf(everyLead(3), 9);
  const late = { ...some!, scoredAt: new Date(slot.getTime() + 90 * 86_400_000) };
  const strange = [
    [{ ...some!, error: [1e12, 0.1, -0.2] }],
    [{ ...some!, resolution: null, actual: -1e-310, error: [1e-42, -0, 3.4e38] }],
    [{ ...some!, resolution: null, ownPinball: [null, 0.5, 0.25] }],
    [{ ...some!, error: [600.5, -700, 0.1], resolution: { multiple: 1, divisor: 100, base: 0 } }],
    [late],
    [{ ...late, scoredAt: new Date(slot.getTime() - 1) }],
  ];
  return [...random, ...alone, ...likewise, ...exact, ...aloneAndExact, ...gappy, ...strange];
}

test("the views say to the bit what they said before they were plain SQL", async () => {
  await using stack = new AsyncDisposableStack();
  const postgres = await startTestPostgres();
  stack.defer(() => postgres.stop());
  const database = openDatabase<object>({ url: await postgres.createDatabase(), side: "predictor", max: 1 });
  stack.defer(() => database.close());
  const { db } = database;
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateTo("0030_neighbours");
  expect(error).toBeUndefined();

  const given = moments();
  const kinds = [...new Set(given.flat().map(({ target, modelKey }) => `${target} ${modelKey}`))];
  const kindOf = ({ target, modelKey }: Score) => 1 + kinds.indexOf(`${target} ${modelKey}`);
  await sql`insert into sensor_key (sensor_id) values ('a')`.execute(db);
  for (const kind of kinds) {
    const [target, modelKey] = kind.split(" ");
    await sql`insert into score_kind (target, model_key) values (${target}, ${modelKey})`.execute(db);
  }
  await sql`select ensure_day(${slot.toISOString().slice(0, 10)}::date)`.execute(db);
  for (const [n, scores] of given.entries()) {
    const { heads, lists } = packMoment(packScores(scores, kindOf));
    await sql`insert into scored_moment (target_at, sensor_no, heads, lists)
      values (${slot}::timestamptz + ${n} * interval '1 second', 1, ${heads}, ${lists})`.execute(db);
  }
  await sql`create table scores_before as select * from scores`.execute(db);
  await sql`create table total_before as select * from score_total`.execute(db);

  await migrate(db);
  for (const [view, before] of [
    ["scores", "scores_before"],
    ["score_total", "total_before"],
  ]) {
    const textsOf = (name: string) => sql`select one::text from ${sql.table(name)} as one`;
    const { rows } = await sql<{ n: number; other: number }>`
      with now as (${textsOf(view!)}), before as (${textsOf(before!)}), other as (
        (table now except all table before) union all (table before except all table now)
      )
      select (select count(*) from now)::int as n, (select count(*) from other)::int as other`.execute(db);
    expect(rows).toEqual([{ n: given.flat().length, other: 0 }]);
  }
});
