import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: the same rows, found otherwise. */
export const worksWith = "0027_scored_moment";

/**
 * Outcomes are asked for by slot: with it first one index does for two, and new rows fill its pages from end to end
 * instead of splitting one a sensor. Waits for the cycles at work and holds them up while the days are indexed anew.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop index outcome_of_slot`.execute(db);
  await sql`alter table outcome drop constraint outcome_pkey, add primary key (slot, sensor_id)`.execute(db);
}
