import { type Kysely, sql } from "kysely";
import type { Score } from "../../../../core/forecast/score.ts";
import { dayMaker } from "../day/day-maker.ts";
import type { PredictorSchema } from "../schema.ts";
import { completed } from "./score-complete.ts";
import { scoreNames } from "./score-names.ts";
import { type Moment, openMoment, openScore, packMoment, packScores } from "./score-pack.ts";

/** The scores of one sensor at one moment. */
type Given = { sensorId: string; targetAt: Date; scores: Score[] };
type Row = { sensorId: string; targetAt: Date } & Moment;

/** The table of scores: a row a sensor and moment. */
export function momentTable(db: Kysely<PredictorSchema>) {
  const ensureDays = dayMaker(db);
  const names = scoreNames(db);
  const pack = (scores: Score[]) => packMoment(packScores(scores, names.numberOf));

  /** To rows that were there what they lacked, one after another who does the same. */
  async function complete(given: Given[]): Promise<void> {
    await db.transaction().execute(async (transaction) => {
      const [ids, moments] = [given.map(({ sensorId }) => sensorId), given.map(({ targetAt }) => targetAt)];
      const { rows } = await sql<Row>`
        select k.sensor_id as "sensorId", s.target_at as "targetAt", s.heads, s.lists
        from unnest(${ids}::text[], ${moments}::timestamptz[]) as g (sensor_id, target_at)
        join sensor_key k using (sensor_id) join scored_moment s on s.sensor_no = k.sensor_no and s.target_at = g.target_at
        order by s.sensor_no, s.target_at for update of s`.execute(transaction);
      const known = new Map(rows.map((row) => [keyOf(row), openMoment(row)]));
      const kinds = await names.kindsOf([...known.values()].flat().map(({ kindNo }) => kindNo));
      const lacking = given.flatMap(({ scores, ...moment }): Row[] => {
        const parts = known.get(keyOf(moment)) ?? [];
        const whole = withMore(
          parts.map((part) => openScore(part, { ...moment, ...kinds.get(part.kindNo)! })),
          scores,
        );
        return whole === null ? [] : [{ ...moment, ...pack(whole) }];
      });
      if (lacking.length === 0) return;
      await sql`
        update scored_moment s set heads = g.heads, lists = g.lists from (${rowsOf(lacking)}) as g
        where s.sensor_no = g.sensor_no and s.target_at = g.target_at`.execute(transaction);
    });
  }

  return {
    /** Adds rows, and to known ones the models and leads that they lack. */
    async record(scores: Score[]): Promise<void> {
      if (scores.length === 0) return;
      await ensureDays(scores.map(({ targetAt }) => targetAt));
      await names.prepare(scores);
      const given = momentsOf(scores);
      const rows = given.map(({ sensorId, targetAt, scores: own }) => ({
        ...{ sensorId, targetAt },
        ...pack(own),
      }));
      const { numAffectedRows } = await sql`
        insert into scored_moment (sensor_no, target_at, heads, lists) ${rowsOf(rows)}
        order by k.sensor_no, g.target_at on conflict do nothing`.execute(db);
      if (Number(numAffectedRows ?? 0) < rows.length) await complete(given);
    },
  };
}

/** The rows as a select: all their bytes in one value, and where each one's end. */
function rowsOf(rows: Row[]) {
  const bytes = Buffer.concat(rows.flatMap(({ heads, lists }) => [heads, lists]));
  const [ids, moments] = [rows.map(({ sensorId }) => sensorId), rows.map(({ targetAt }) => targetAt)];
  const [heads, lists] = [rows.map((row) => row.heads.length), rows.map((row) => row.lists.length)];
  return sql`
    select k.sensor_no, g.target_at, substring(all_of.bytes from g.ends - g.lists - g.heads + 1 for g.heads) as heads,
      substring(all_of.bytes from g.ends - g.lists + 1 for g.lists) as lists
    from (
      select sensor_id, target_at, heads, lists, (sum(heads + lists) over (order by n))::integer as ends
      from unnest(${ids}::text[], ${moments}::timestamptz[], ${heads}::integer[], ${lists}::integer[]) with ordinality
        as u (sensor_id, target_at, heads, lists, n)
    ) as g
    join sensor_key k using (sensor_id) cross join (select ${bytes}::bytea as bytes) as all_of`;
}

/** A model that is given twice counts once. */
function momentsOf(scores: Score[]): Given[] {
  const found = new Map<string, Given>();
  for (const score of scores) {
    const { sensorId, targetAt } = score;
    const key = keyOf(score);
    const known = found.get(key);
    if (known === undefined) found.set(key, { sensorId, targetAt, scores: [score] });
    else if (!known.scores.some((one) => one.target === score.target && one.modelKey === score.modelKey))
      known.scores.push(score);
  }
  return [...found.values()];
}

function keyOf({ sensorId, targetAt }: Pick<Score, "sensorId" | "targetAt">): string {
  return `${targetAt.getTime()} ${sensorId}`;
}

/** What is known with what only `more` have; null where they have nothing more. */
function withMore(known: Score[], more: Score[]): Score[] | null {
  const whole = [...known];
  let isMore = false;
  for (const score of more) {
    const at = whole.findIndex((one) => one.target === score.target && one.modelKey === score.modelKey);
    const after = at < 0 ? score : completed(whole[at]!, score);
    if (after === null) continue;
    whole.splice(at < 0 ? whole.length : at, 1, after);
    isMore = true;
  }
  return isMore ? whole : null;
}
