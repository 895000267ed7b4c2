import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: nothing there reads or writes it, and it leaves nothing out. */
export const worksWith = "0017_retention";

/** What people say of stretches of sensors' time, and what is to be done anew because of it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table annotation (
    annotation_id text primary key,
    sensor_id text not null,
    target text,
    kind text not null check (kind in ('outage', 'moved', 'calibrated', 'open window', 'event')),
    from_at timestamptz not null,
    to_at timestamptz check (to_at > from_at),
    -- The last point of the grid that has a reading of the range; null without an end.
    through_at timestamptz,
    text text not null,
    created_at timestamptz not null,
    created_by text not null,
    changed_at timestamptz not null,
    changed_by text not null,
    removed_at timestamptz,
    check ((to_at is null) = (through_at is null))
  )`,
  "create index annotation_of_sensor on annotation (sensor_id, from_at desc)",
  "create index annotation_newest on annotation (from_at desc, annotation_id)",
  // Asking twice makes one.
  `create unique index annotation_once on annotation (sensor_id, coalesce(target, ''), kind, from_at,
    coalesce(to_at, 'infinity'), md5(text)) where removed_at is null`,
  `create table annotation_anew (
    anew_id bigint generated always as identity primary key,
    task text not null check (task in ('learn', 'sum')),
    sensor_id text not null,
    from_at timestamptz not null,
    to_at timestamptz
  )`,
  "create index annotation_anew_of_sensor on annotation_anew (task, sensor_id)",
  // What a part's sums left out: sums of something else are not to be gone on from.
  "alter table part_sums add column left_out jsonb not null default '[]'",
];
