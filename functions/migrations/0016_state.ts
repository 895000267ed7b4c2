import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: what it writes past `sensor_state` the next cycle puts right. */
export const worksWith = "0012_leads";

/** A row a sensor with what lists show, search and sort by: kept when it is written, not gathered when it is read. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Digits padded, so that room2 comes before room10.
  `create function natural_key(id text) returns text language sql immutable strict parallel safe as $$
    select string_agg(case when part[1] ~ '^[0-9]' then lpad(part[1], greatest(20, length(part[1])), '0') else part[1] end, ''
      order by n)
    from regexp_matches(id, '[0-9]+|[^0-9]+', 'g') with ordinality as u (part, n)
  $$`,
  `alter table sensor add column natural_key text collate "C" generated always as (natural_key(sensor_id)) stored`,
  // Updated in every cycle: no index but the key, and room in the page, so that an update touches no index.
  `create table sensor_state (
    sensor_id text primary key,
    slot timestamptz,
    status text,
    reason text,
    reason_text text,
    have integer,
    need integer,
    held smallint,
    decided_at timestamptz,
    forecast_slot timestamptz,
    newest_reading_at timestamptz,
    skill real,
    coverage real,
    trouble real,
    merit jsonb,
    scored_at timestamptz,
    changed_by xid8 not null default pg_current_xact_id()
  ) with (fillfactor = 60)`,
  `insert into sensor_state (sensor_id, slot, status, reason, reason_text, have, need, held, decided_at, forecast_slot,
      newest_reading_at)
    select s.sensor_id, o.slot, o.status, o.reason, o.reason_text, o.have, o.need, o.held, o.decided_at, f.slot,
      f.source_watermark
    from sensor s
    left join lateral (
      select * from outcome where outcome.sensor_id = s.sensor_id order by slot desc limit 1
    ) o on true
    left join lateral (
      select slot, source_watermark from (
        (select i.slot, i.source_watermark from sensor_key k join issued i using (sensor_no)
          where k.sensor_id = s.sensor_id and i.is_served order by i.slot desc limit 1)
        union all
        (select b.slot, b.source_watermark from forecast_before b
          where b.sensor_id = s.sensor_id and b.is_served order by b.origin desc limit 1)
      ) as either
      order by slot desc limit 1
    ) f on true`,
  // Names, groups and the serving model are shown beside the state: their rows say themselves when they changed.
  `create function mark_change() returns trigger language plpgsql as $$
    begin
      new.changed_by := pg_current_xact_id();
      return new;
    end $$`,
  ...["sensor_profile", "model"].flatMap((table) => [
    `alter table ${table} add column changed_by xid8 not null default pg_current_xact_id()`,
    `create trigger ${table}_marks_change before update on ${table} for each row execute function mark_change()`,
  ]),
  // Moved on after each commit that changes what lists show: whoever kept an answer knows by it that it is old.
  "create sequence fleet_revision",
];
