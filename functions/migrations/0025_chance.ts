import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: what it writes past these columns the next cycle puts right. */
export const worksWith = "0024_losses";

/** The likeliest crossing of a sensor's limits within a day, as of its newest outcome, and its chance to sort by. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table sensor_state add column chance real check (chance between 0 and 1), add column crossing jsonb`.execute(
    db,
  );
}
