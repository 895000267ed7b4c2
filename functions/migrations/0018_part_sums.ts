import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: nothing there reads or writes it. */
export const worksWith = "0017_retention";

/** What sensors' ridges came from, by version: with it a part is renewed without a look at its history. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table part_sums (
    fleet_id text not null,
    sensor_id text not null,
    through timestamptz not null,
    sums bytea not null,
    primary key (fleet_id, sensor_id)
  )`.execute(db);
}
