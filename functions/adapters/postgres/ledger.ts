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
      await reopenDisputed(db, slot, now);
      await sql`
        insert into cycle (slot, opened_at, sensors, shards) values (${slot}, ${now}, ${sensors}, ${shards})
        on conflict (slot) do nothing`.execute(db);
      const columns = ["opened_at", "fanned_out_at"] as const;
      const row = await db.selectFrom("cycle").select(columns).where("slot", "=", slot).executeTakeFirstOrThrow();
      return row.fanned_out_at === null ? row.opened_at : null;
    },

    async closeFanOut(slot, now) {
      await db
        .updateTable("cycle")
        .set({ fanned_out_at: now })
        .where("slot", "=", slot)
        .where("fanned_out_at", "is", null)
        .execute();
    },

    async gaps(seconds) {
      const { rows } = await sql<{ after: Date; before: Date }>`
        select after, before from (select slot as after, lead(slot) over (order by slot) as before from cycle) as pair
        where before > after + make_interval(secs => ${seconds}::float8)
        order by after`.execute(db);
      return rows;
    },

    async finishCycles(upTo, now) {
      await sql`
        update cycle set finished_at = ${now}
        where finished_at is null and fanned_out_at is not null and not is_disputed and slot <= ${upTo}
          and sensors <= (select count(*) from outcome where outcome.slot = cycle.slot)`.execute(db);
      const rows = await db
        .selectFrom("cycle")
        .select(["slot", "fanned_out_at as fannedOutAt", "is_disputed as isDisputed"])
        .where("finished_at", "is", null)
        .where("slot", "<=", upTo)
        .orderBy("slot", "desc")
        .execute();
      return rows.map(({ slot, fannedOutAt, isDisputed }) => ({ slot, fannedOutAt: isDisputed ? null : fannedOutAt }));
    },

    async finishCycle(slot, now) {
      await db.updateTable("cycle").set({ finished_at: now }).where("slot", "=", slot).execute();
    },

    async disputeCycles({ after, upTo }, oldest) {
      await db
        .updateTable("cycle")
        .set({ is_disputed: false })
        .where("is_disputed", "=", true)
        .where("slot", "<", oldest)
        .execute();
      const { numUpdatedRows } = await db
        .updateTable("cycle")
        .set({ is_disputed: true, finished_at: null })
        .where("slot", ">=", oldest)
        .where("opened_at", ">", after)
        .where("opened_at", "<=", upTo)
        .where("is_disputed", "=", false)
        .executeTakeFirst();
      return Number(numUpdatedRows);
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

/** Takes back what a clock that was wrong decided of the slot: one statement, and none but that slot's. */
async function reopenDisputed(db: Kysely<PredictorSchema>, slot: Date, now: Date): Promise<void> {
  await sql`
    with reopened as (
      update cycle set is_disputed = false, opened_at = ${now}, fanned_out_at = null, finished_at = null
      where slot = ${slot} and is_disputed returning slot
    )
    delete from outcome using reopened where outcome.slot = reopened.slot`.execute(db);
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
