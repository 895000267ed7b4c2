import { type Kysely, type Selectable, sql } from "kysely";
import type { Cycle } from "../../../core/forecast/cycle.ts";
import type { Forecast, Outcome } from "../../../core/forecast/forecast.ts";
import type { Ledger } from "../../../core/ports.ts";
import { names, recordset } from "./bulk.ts";
import { toFields, toRow } from "./columns.ts";
import { toForecastRow } from "./forecast-row.ts";
import type { PredictorSchema } from "./schema.ts";
import { cycleColumns, forecastColumns, outcomeColumns } from "./tables.ts";

/** Cycles, outcomes and forecasts in the predictor database. Every write may be repeated; nothing is updated. */
export function postgresLedger(db: Kysely<PredictorSchema>): Ledger {
  return {
    async openCycle({ slot, sensors, shards, now }) {
      const opened = await sql<{ fanned_out_at: Date | null }>`
        with opened as (
          insert into cycle (slot, opened_at, sensors, shards) values (${slot}, ${now}, ${sensors}, ${shards})
          on conflict (slot) do nothing returning fanned_out_at
        )
        select fanned_out_at from opened union all select fanned_out_at from cycle where slot = ${slot}`.execute(db);
      return !opened.rows.some((row) => row.fanned_out_at !== null);
    },

    async closeFanOut(slot, now) {
      await db
        .updateTable("cycle")
        .set({ fanned_out_at: now })
        .where("slot", "=", slot)
        .where("fanned_out_at", "is", null)
        .execute();
    },

    async rememberSensors(sensorIds, now) {
      await sql`
        insert into sensor (sensor_id, first_seen_at)
        select id, ${now} from unnest(${sensorIds}::text[]) as id
        where not exists (select from sensor where sensor_id = id)
        order by id on conflict do nothing`.execute(db);
    },

    async decided(sensorIds, slot) {
      const { rows } = await sql<{ sensor_id: string }>`
        select sensor_id from outcome
        where slot = ${slot} and sensor_id = any(${sensorIds}::text[])`.execute(db);
      return new Set(rows.map((row) => row.sensor_id));
    },

    record: (outcomes, forecasts) => record(db, outcomes, forecasts),

    async latestCycles(limit) {
      const { rows } = await sql<CycleRow>`
        select c.*, o.* from (select * from cycle order by slot desc limit ${limit}) as c
        cross join lateral (
          select count(*) filter (where status = 'issued') as issued, count(*) filter (where status = 'baseline') as baseline,
            count(*) filter (where status = 'refused') as refused, count(*) filter (where status = 'expired') as expired
          from outcome where outcome.slot = c.slot
        ) as o
        order by c.slot desc`.execute(db);
      return rows.map(toCycle);
    },
  };
}

/**
 * One statement, so one transaction and one round trip. The forecasts of a (sensor, slot) whose outcome is among
 * `outcomes` are stored only together with it: who comes second with another decision adds nothing.
 */
async function record(db: Kysely<PredictorSchema>, outcomes: Outcome[], forecasts: Forecast[]): Promise<void> {
  if (outcomes.length === 0 && forecasts.length === 0) return;
  // The same order everywhere, so that two who record the same sensors cannot block each other.
  const outcomeRows = outcomes
    .map((outcome) => toRow(outcomeColumns, outcome))
    .sort((a, b) => compare(a.sensor_id, b.sensor_id));
  await sql`
    with given as materialized (select * from ${recordset(outcomeRows, "o", outcomeColumns)}),
    decided as (
      insert into outcome (${names(outcomeColumns)}) select ${names(outcomeColumns)} from given
      on conflict do nothing returning sensor_id, slot
    )
    insert into forecast (${names(forecastColumns)})
    select ${names(forecastColumns, "f")} from ${recordset(forecasts.map(toForecastRow), "f", forecastColumns)}
    where (f.sensor_id, f.slot) in (select sensor_id, slot from decided)
      or (f.sensor_id, f.slot) not in (select sensor_id, slot from given)
    order by f.sensor_id, f.target, f.origin, f.model_key
    on conflict do nothing`.execute(db);
}

type CycleRow = Selectable<PredictorSchema["cycle"]> & Pick<Cycle, "issued" | "baseline" | "refused" | "expired">;

function toCycle({ issued, baseline, refused, expired, ...row }: CycleRow): Cycle {
  return { ...toFields(cycleColumns, row), issued, baseline, refused, expired };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
