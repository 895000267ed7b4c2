import { type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type { LikeliestCrossing } from "../../../core/forecast/crossing.ts";
import type { Cycle } from "../../../core/forecast/cycle.ts";
import type { Forecast, Outcome } from "../../../core/forecast/forecast.ts";
import type { Ledger } from "../../../core/ports.ts";
import { names, recordset } from "./bulk.ts";
import { column, toFields, toRow } from "./columns.ts";
import { dayMaker } from "./day/day-maker.ts";
import {
  type IssuedRow,
  issuedColumns,
  type Lineage,
  type StoredLineage,
  toIssuedRows,
  toStoredLineage,
} from "./forecast/issued-row.ts";
import { toLeadList } from "./lead-list.ts";
import { moveRevision } from "./revision.ts";
import type { PredictorSchema } from "./schema.ts";
import { crossingColumns, keepState, toCrossingColumns } from "./sensor-state.ts";
import { cycleColumns, outcomeColumns } from "./tables.ts";

/** Cycles, outcomes and forecasts in the predictor database. Every write may be repeated; nothing is updated. */
export function postgresLedger(db: Kysely<PredictorSchema>): Ledger {
  const prepare = preparation(db);
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
        update cycle set finished_at = ${now}, ${setCounts}
        from (
          select slot, n.* from cycle cross join lateral (${countsOf(sql`cycle.slot`)}) as n
          where finished_at is null and fanned_out_at is not null and not is_disputed and slot <= ${upTo}
        ) as n
        where cycle.slot = n.slot and sensors <= n.total`.execute(db);
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
      await sql`
        update cycle set finished_at = ${now}, ${setCounts} from (${countsOf(slot)}) as n
        where slot = ${slot}`.execute(db);
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
      const { numAffectedRows } = await sql`
        insert into sensor (sensor_id, first_seen_at)
        select id, ${now} from unnest(${sensorIds}::text[]) as id
        where not exists (select from sensor where sensor_id = id)
        order by id on conflict do nothing`.execute(db);
      if ((numAffectedRows ?? 0n) > 0n) await moveRevision(db);
    },

    async decided(sensorIds, slot) {
      const { rows } = await sql<{ sensor_id: string }>`
        select sensor_id from outcome
        where slot = ${slot} and sensor_id = any(${sensorIds}::text[])`.execute(db);
      return new Set(rows.map((row) => row.sensor_id));
    },

    record: (outcomes, forecasts, crossings) => record(db, prepare, outcomes, forecasts, crossings),

    async latestCycles(limit) {
      const cycles = await db.selectFrom("cycle").selectAll().orderBy("slot", "desc").limit(limit).execute();
      const counts = await countOutcomes(db, cycles);
      return cycles.map((cycle) => ({ ...toFields(cycleColumns, cycle), ...counts(cycle) }));
    },
  };
}

/** Takes back what a clock that was wrong decided of the slot: one statement, and none but that slot's. */
async function reopenDisputed(db: Kysely<PredictorSchema>, slot: Date, now: Date): Promise<void> {
  await sql`
    with reopened as (
      update cycle set is_disputed = false, opened_at = ${now}, fanned_out_at = null, finished_at = null,
        issued = null, baseline = null, refused = null, expired = null
      where slot = ${slot} and is_disputed returning slot
    )
    delete from outcome using reopened where outcome.slot = reopened.slot`.execute(db);
}

/**
 * One statement, so one transaction and one round trip. The forecasts of a (sensor, slot) whose outcome is among
 * `outcomes` are stored only together with it: who comes second with another decision adds nothing.
 */
async function record(
  db: Kysely<PredictorSchema>,
  prepare: Preparation,
  outcomes: Outcome[],
  forecasts: Forecast[],
  crossings: Map<string, LikeliestCrossing> = new Map(),
): Promise<void> {
  if (outcomes.length === 0 && forecasts.length === 0) return;
  const { rows, lineages } = toIssuedRows(forecasts);
  await prepare(outcomes, rows, lineages);
  // The same order everywhere, so that two who record the same sensors cannot block each other.
  const outcomeRows = outcomes
    .map((outcome) => ({ ...toRow(outcomeColumns, outcome), ...toCrossingColumns(crossings.get(outcome.sensorId)) }))
    .sort((a, b) => compare(a.sensor_id, b.sensor_id));
  const key = sql`sensor_no, slot, origin, lineage_id`;
  const body = sql`issued_at, source_watermark, is_served, learnt_through, reason_texts, packed, steps, exact, shares`;
  await sql`
    with given as materialized (select * from ${recordset(outcomeRows, "o", { ...outcomeColumns, ...crossingColumns })}),
    decided as (
      insert into outcome (${names(outcomeColumns)}) select ${names(outcomeColumns)} from given
      on conflict do nothing returning sensor_id, slot
    ),
    made as materialized (
      select k.sensor_no, f.* from ${recordset(rows, "f", issuedColumns)} join sensor_key k using (sensor_id)
      where (f.sensor_id, f.slot) in (select sensor_id, slot from decided)
        or (f.sensor_id, f.slot) not in (select sensor_id, slot from given)
    ),
    added as (
      insert into issued (${key}, ${body}) select ${key}, ${body} from made order by ${key} on conflict do nothing
    ),
    kept as (${keepState()})
    insert into issued_mix (${key}, pack) select ${key}, pack from made where pack is not null
    order by ${key} on conflict do nothing`.execute(db);
  await moveRevision(db);
}

type Preparation = (outcomes: Outcome[], rows: IssuedRow[], lineages: Map<string, Lineage>) => Promise<void>;

/** Sees to it, once each, that the rows' days, sensors and lineages are there. All of it may be repeated by anybody. */
function preparation(db: Kysely<PredictorSchema>): Preparation {
  const ensureDays = dayMaker(db);
  const known = { sensors: new Set<string>(), lineages: new Set<string>() };
  const lacking = (set: Set<string>, wanted: Iterable<string>) => {
    if (set.size > mostKnown) set.clear();
    return [...new Set(wanted)].filter((one) => !set.has(one)).sort(compare);
  };
  return async (outcomes, rows, lineages) => {
    await ensureDays([...outcomes, ...rows].map(({ slot }) => slot));
    const sensorIds = lacking(
      known.sensors,
      rows.map((row) => row.sensor_id),
    );
    if (sensorIds.length > 0) {
      await sql`
        insert into sensor_key (sensor_id) select id from unnest(${sensorIds}::text[]) as id
        where not exists (select from sensor_key where sensor_id = id) order by id on conflict do nothing`.execute(db);
      for (const id of sensorIds) known.sensors.add(id);
    }
    const lineageIds = lacking(known.lineages, lineages.keys());
    if (lineageIds.length > 0) {
      const made = lineageIds.map((id) => {
        const content = lineages.get(id)!;
        const { stepSeconds, leads, targets } = content;
        const keys = { targets: targets.map((one) => one.target), model_keys: targets.map((one) => one.modelKey) };
        const own = { leads: leads.length, lead_list: toLeadList(leads) };
        return { lineage_id: id, step_seconds: stepSeconds, ...own, ...keys, content: toStoredLineage(content) };
      });
      await sql`
        insert into lineage (${names(lineageColumns)}) select ${names(lineageColumns)}
        from ${recordset(made, "l", lineageColumns)} order by lineage_id on conflict do nothing`.execute(db);
      for (const id of lineageIds) known.lineages.add(id);
    }
  };
}

const mostKnown = 200_000;

const lineageColumns = {
  lineage_id: column<string>("bigint"),
  step_seconds: column<number>("integer"),
  leads: column<number>("integer"),
  lead_list: column<number[] | null>("integer[]"),
  targets: column<string[]>("text[]"),
  model_keys: column<string[]>("text[]"),
  content: column<StoredLineage>("jsonb"),
};

type CycleRow = Selectable<PredictorSchema["cycle"]>;
type Counts = Pick<Cycle, "issued" | "baseline" | "refused" | "expired">;
const none: Counts = { issued: 0, baseline: 0, refused: 0, expired: 0 };

/** How many outcomes of a slot there are, in all and by status. */
function countsOf(slot: Date | RawBuilder<unknown>) {
  return sql`select count(*)::int as total, count(*) filter (where status = 'issued')::int as issued,
    count(*) filter (where status = 'baseline')::int as baseline, count(*) filter (where status = 'refused')::int as refused,
    count(*) filter (where status = 'expired')::int as expired
    from outcome where outcome.slot = ${slot}`;
}

/** Where a sensor's outcome is missing, it may still come: the counts stay open. */
const setCounts = sql.raw(
  ["issued", "baseline", "refused", "expired"]
    .map((name) => `${name} = case when cycle.sensors <= n.total then n.${name} end`)
    .join(", "),
);

/** Counts of cycles' outcomes: as they were when the cycle was finished, else as they are now. */
async function countOutcomes(db: Kysely<PredictorSchema>, cycles: CycleRow[]): Promise<(cycle: CycleRow) => Counts> {
  const open = cycles.filter(({ issued }) => issued === null).map(({ slot }) => slot);
  const { rows } = await sql<Counts & { slot: Date }>`
    select asked.slot, n.issued, n.baseline, n.refused, n.expired
    from unnest(${open}::timestamptz[]) as asked (slot) cross join lateral (${countsOf(sql`asked.slot`)}) as n`.execute(
    db,
  );
  const counted = new Map(rows.map(({ slot, ...counts }) => [slot.getTime(), counts]));
  return ({ slot, issued, baseline, refused, expired }) =>
    issued === null
      ? (counted.get(slot.getTime()) ?? none)
      : { issued, baseline: baseline ?? 0, refused: refused ?? 0, expired: expired ?? 0 };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
