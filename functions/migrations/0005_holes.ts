import { type Kysely, sql } from "kysely";

/** The newest migration of the code before that still runs on this one. */
export const worksWith = "0004_access";

/** Cycles say whether every outcome is there; a forecast that has learnt from what came after its origin is refused. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table cycle
    add column finished_at timestamptz,
    add column is_disputed boolean not null default false`,
  `update cycle set finished_at = fanned_out_at
    where fanned_out_at is not null and sensors <= (select count(*) from outcome where outcome.slot = cycle.slot)`,
  "create index cycle_unfinished on cycle (slot) where finished_at is null",
  "create index cycle_disputed on cycle (slot) where is_disputed",
  // Rows from before may break the rule: they stay as they were, and are named by `npm run verify`.
  `alter table forecast add constraint forecast_learnt_by_origin
    check (mix_through is null or mix_through <= origin) not valid`,
];
