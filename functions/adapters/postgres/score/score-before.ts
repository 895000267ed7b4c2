import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Score } from "../../../../core/forecast/score.ts";
import { once } from "../../../../core/once.ts";
import { names, recordset } from "../bulk.ts";
import { toRow } from "../columns.ts";
import { leadsOf, toLeadList } from "../lead-list.ts";
import type { PredictorSchema } from "../schema.ts";
import { scoreColumns } from "../tables.ts";

/** Where the tables of before end: moments from there on have their scores in the next one. */
export type Ends = { score: Date; scored: Date };

/** Asked once. */
export function beforeEnds(db: Kysely<PredictorSchema>): () => Promise<Ends> {
  return once(() => readEnds(db));
}

/** They get no days any more, and have one for every moment that has a score in them. */
async function readEnds(db: Kysely<PredictorSchema>): Promise<Ends> {
  const { rows } = await sql<{ table: keyof Ends; end: Date }>`
    select p.relname as "table", (max(to_date(right(c.relname, 8), 'YYYYMMDD')) + 1)::timestamp at time zone 'UTC' as "end"
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
    where i.inhparent in (to_regclass('score'), to_regclass('scored')) and c.relname ~ '^scored?_\\d{8}$'
    group by p.relname`.execute(db);
  const endOf = (table: keyof Ends) => rows.find((row) => row.table === table)?.end ?? new Date(0);
  return { score: endOf("score"), scored: endOf("scored") };
}

/** Adds rows of moments that the table of before has, and to known ones the leads that they lack. */
export async function recordBefore(db: Kysely<PredictorSchema>, scores: Score[]): Promise<void> {
  if (scores.length === 0) return;
  const rows = scores.map((score) => toRow(scoreColumns, { ...score, leads: toLeadList(score.leads) }));
  await sql`
    insert into score (${names(scoreColumns)})
    select ${names(scoreColumns)} from ${recordset(rows, "s", scoreColumns)}
    order by sensor_id, target_at, target, model_key
    on conflict (sensor_id, target_at, target, model_key) do update set ${completed} where ${lacksLeads}`.execute(db);
}

/** Arrays with an element a lead. */
const perLead = [
  "error",
  "pinball",
  "is_covered",
  "own_pinball",
  "own_is_covered",
  "persistence_error",
  "seasonal_naive_error",
];

/** A row's leads with all their arrays, as `alias`. */
function unrolled(score: string, alias: string): RawBuilder<unknown> {
  const arrays = perLead.map((name) => sql.ref(`${score}.${name}`));
  return sql`unnest(${leadsOf(score)}, ${sql.join(arrays)}) as ${sql.ref(alias)} (lead, ${sql.join(perLead.map((name) => sql.ref(name)))})`;
}

/** A known row's leads, and those that only the new row has; what is scored stays as it is. */
const completed = sql`(leads, ${sql.join(perLead.map((name) => sql.ref(name)))}) = (
  select array_agg(lead order by lead), ${sql.join(
    perLead.map(
      (name) => sql`array_agg(coalesce(${sql.ref(`known.${name}`)}, ${sql.ref(`more.${name}`)}) order by lead)`,
    ),
  )}
  from ${unrolled("score", "known")} full join ${unrolled("excluded", "more")} using (lead))`;

const lacksLeads = sql<boolean>`exists (
  select from ${unrolled("excluded", "more")} left join ${unrolled("score", "known")} using (lead)
  where known.error is null and more.error is not null)`;
