import { type Kysely, sql } from "kysely";

/** What mixing and widths have learnt per sensor and target, and how each forecast came about. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table adaptation (
    sensor_id text not null,
    target text not null,
    version integer not null,
    through timestamptz not null,
    state real[] not null check (array_position(state, null) is null),
    primary key (sensor_id, target)
  )`,
  // Flat arrays, lead by lead: of each expert q10, q50, q90 (null: it had none) | each expert's weight | lower, upper
  // factor.
  `alter table forecast
    add column mix_through timestamptz,
    add column mix_experts real[],
    add column mix_weights real[],
    add column mix_widths real[],
    add check (num_nulls(mix_experts, mix_weights, mix_widths) in (0, 3))`,
  // A row of 24 leads has 3 kB: kept in one piece, because scoring reads all of it.
  "alter table forecast set (toast_tuple_target = 6000)",
];
