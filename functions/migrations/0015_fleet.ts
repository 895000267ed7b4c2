import { type Kysely, sql } from "kysely";

/** Code before runs on: it registers models of fleets, whose versions it does not list. */
export const worksWith = "0014_alerts";

/**
 * Versions of fleets' networks as things of their own: which one serves, which one is on trial. Those that models name
 * already are entered; the one that forecasts most sensors is champion.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table fleet (
    fleet_id text primary key,
    group_path text not null,
    digest text not null check (digest ~ '^[0-9a-f]{64}$'),
    status text not null check (status in ('challenger', 'champion', 'retired')),
    status_reason text not null,
    created_at timestamptz not null,
    promoted_at timestamptz,
    retired_at timestamptz
  )`,
  "create unique index fleet_one_champion on fleet (group_path) where status = 'champion'",
  "alter table model add column fleet_id text generated always as (manifest #>> '{fleet,fleetId}') stored",
  "create index model_of_fleet on model (fleet_id, status) where fleet_id is not null",
  `insert into fleet
    select fleet_id, '', digest,
      case when champions > 0 and place = 1 then 'champion' when challengers > 0 then 'challenger' else 'retired' end,
      'known from its sensors', created_at, promoted_at,
      case when champions = 0 and challengers = 0 or champions > 0 and place > 1 and challengers = 0
        then coalesce(retired_at, created_at) end
    from (
      select *, row_number() over (order by champions desc, created_at desc) as place
      from (
        select fleet_id, min(manifest #>> '{fleet,digest}') as digest, min(created_at) as created_at,
          min(promoted_at) as promoted_at, max(retired_at) as retired_at,
          count(*) filter (where status = 'champion') as champions,
          count(*) filter (where status = 'challenger') as challengers
        from model where fleet_id is not null group by fleet_id
      ) known
    ) ranked`,
];
