import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: nothing there reads or writes it. */
export const worksWith = "0012_leads";

/** Rules, how they stand, what fired, where it is told, and what is still to be told. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table alert_rule (
    rule_id text primary key,
    body jsonb not null,
    created_at timestamptz not null,
    created_by text not null,
    since timestamptz not null
  )`,
  // Of the channel's settings what is secret lies apart, encrypted: functions/adapters/sealed.ts.
  `create table alert_channel (
    channel_id text primary key,
    name text not null,
    is_enabled boolean not null,
    settings jsonb not null,
    secret bytea,
    created_at timestamptz not null,
    created_by text not null
  )`,
  // The newest slot in which the rules looked at a sensor; '' is the system.
  `create table alert_seen (
    sensor_id text primary key,
    slot timestamptz not null,
    evaluated_at timestamptz not null
  ) with (fillfactor = 50)`,
  // Whatever is not ok.
  `create table alert_standing (
    sensor_id text not null,
    rule_id text not null references alert_rule on delete cascade,
    state text not null check (state in ('pending', 'firing', 'blind')),
    since timestamptz not null,
    cycles integer not null,
    fired_at timestamptz,
    told_at timestamptz,
    evidence jsonb not null,
    primary key (sensor_id, rule_id)
  ) with (fillfactor = 70)`,
  "create index alert_standing_of_rule on alert_standing (rule_id)",
  // A firing, kept when its rule is gone.
  `create table alert (
    alert_id bigint generated always as identity primary key,
    rule_id text not null,
    sensor_id text not null,
    rule_name text not null,
    severity text not null,
    fired_at timestamptz not null,
    cleared_at timestamptz,
    evidence jsonb not null,
    text text not null,
    acknowledged_at timestamptz,
    acknowledged_by text,
    note text,
    unique (rule_id, sensor_id, fired_at)
  )`,
  "create index alert_open on alert (rule_id, sensor_id) where cleared_at is null",
  "create index alert_of_sensor on alert (sensor_id, alert_id desc)",
  // The outbox: written with the change that it tells of. Its times are the wall's, for those who read it.
  `create table notification (
    notification_id bigint generated always as identity primary key,
    key text not null unique,
    channel_id text not null references alert_channel on delete cascade,
    rule_id text not null,
    sensor_id text not null,
    kind text not null,
    body jsonb not null,
    created_at timestamptz not null,
    due_at timestamptz not null,
    batch text,
    attempts integer not null default 0,
    delivered_at timestamptz,
    given_up_at timestamptz
  )`,
  `create index notification_open on notification (channel_id, notification_id)
    where delivered_at is null and given_up_at is null`,
  `create table delivery (
    delivery_id bigint generated always as identity primary key,
    channel_id text not null references alert_channel on delete cascade,
    key text not null,
    notifications integer not null,
    attempt integer not null,
    at timestamptz not null,
    elapsed_ms integer not null,
    is_ok boolean not null,
    detail text not null
  )`,
  "create index delivery_of_channel on delivery (channel_id, delivery_id desc)",
  // Whoever keeps rules and profiles in memory sees by it that they have changed.
  `create table alert_revision (only_one boolean primary key default true check (only_one), revision bigint not null)`,
  "insert into alert_revision (revision) values (1)",
  `create function raise_alert_revision() returns trigger language plpgsql security definer set search_path from current as $$
    begin update alert_revision set revision = revision + 1; return null; end $$`,
  `create trigger raise_alert_revision after insert or update or delete on alert_rule
    for each statement execute function raise_alert_revision()`,
  // By the row: the source's names are taken over with each cycle, most often unchanged.
  `create trigger raise_alert_revision after insert or update or delete on sensor_profile
    for each row execute function raise_alert_revision()`,
];
