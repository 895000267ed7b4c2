import { type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type { Merit } from "../../../../core/forecast/merit.ts";
import {
  attentionOrder,
  type OrderQuery,
  type SensorOrder,
  type SensorRow,
  type SensorSort,
  type SensorStatus,
  statusCases,
} from "../../../../core/forecast/sensor.ts";
import type { Views } from "../../../../core/views.ts";
import { type RowOf, toFields } from "../columns.ts";
import type { PredictorSchema } from "../schema.ts";
import { type crossingColumns, toCrossing } from "../sensor-state.ts";
import { outcomeColumns } from "../tables.ts";

type OutcomeRow = Selectable<PredictorSchema["outcome"]>;
type Row = OutcomeRow &
  RowOf<typeof crossingColumns> & {
    first_seen_at: Date;
    state: SensorStatus;
    newest_reading_at: Date | null;
    name: string | null;
    group_path: string | null;
    champion: string | null;
    skill: number | null;
    coverage: number | null;
    trouble: number | null;
    merit: Merit["targets"] | null;
  };

/** Up to so many sensors are counted; of more the database's own count is taken, which may be off by a few. */
const exactUpTo = 1_000;

/** Sensors by the row that is kept of each: its newest outcome, and the status that follows from it. */
export function sensorViews(
  db: Kysely<PredictorSchema>,
): Pick<Views, "sensorOrder" | "sensors" | "knownSensors" | "sensorCount" | "outcomes"> {
  return {
    async sensorOrder(query) {
      const { rows } = await sensorOrder(query).execute(db);
      const { ids, counts, version } = rows[0]!;
      const none = Object.fromEntries(attentionOrder.map((status) => [status, 0])) as SensorOrder["counts"];
      return { sensorIds: ids ?? [], counts: { ...none, ...counts }, version };
    },
    async sensors(sensorIds, staleBefore) {
      if (sensorIds.length === 0) return [];
      const { rows } = await sensorRows(sensorIds, staleBefore).execute(db);
      return rows.map(toSensorRow);
    },
    async knownSensors(sensorIds) {
      const { rows } = await sql<{ sensor_id: string }>`
        select sensor_id from sensor where sensor_id = any(${sensorIds}::text[])`.execute(db);
      return new Set(rows.map((row) => row.sensor_id));
    },
    async sensorCount() {
      const { rows } = await sql<{ n: number }>`
        select case when few.n <= ${exactUpTo} then few.n else greatest(few.n, stored.n) end::float8 as n
        from (select count(*) as n from (select from sensor limit ${exactUpTo + 1}) as first) as few,
          (select n_live_tup as n from pg_stat_user_tables where relid = to_regclass('sensor')) as stored`.execute(db);
      return rows[0]?.n ?? 0;
    },
    async outcomes(sensorIds, slot) {
      if (sensorIds.length === 0) return [];
      const rows = await db
        .selectFrom("outcome")
        .selectAll()
        .where("sensor_id", "=", sql<string>`any(${sensorIds}::text[])`)
        .where("slot", "=", slot)
        .execute();
      return rows.map((row) => toFields(outcomeColumns, row));
    },
  };
}

const groupOf = sql`coalesce(p.group_path, p.source_group)`;
const nameOf = sql`coalesce(p.name, p.source_name)`;
/** A character that no text holds parts them. */
const searched = sql`lower(concat_ws(chr(31), s.sensor_id, ${nameOf}, ${groupOf}, coalesce(p.place, p.source_place),
  m.model_id, o.reason_text, o.reason))`;
const described = sql`sensor s left join sensor_state o using (sensor_id) left join sensor_profile p using (sensor_id)
  left join model m on m.sensor_id = s.sensor_id and m.status = 'champion'`;

const keys: Record<Exclude<SensorSort, "attention">, RawBuilder<unknown>> = {
  sensorId: sql`natural_key`,
  age: sql`newest_reading_at`,
  skill: sql`skill`,
  coverage: sql`coverage`,
  model: sql`natural_key(model_id) collate "C"`,
  chance: sql`-chance`,
};

/** One pass over the sensors' states: a hundred thousand are sorted sooner than their outcomes are looked up. */
function sensorOrder({ statuses, search, group, changedSince, sort, isDescending, staleBefore }: OrderQuery) {
  const words = search?.toLowerCase().split(/\s+/).filter(Boolean) ?? [];
  const filters = [sql`true`, ...words.map((word) => sql`position(${word} in ${searched}) > 0`)];
  if (group !== undefined) filters.push(sql`(${groupOf} = ${group} or starts_with(${groupOf}, ${`${group}/`}))`);
  if (changedSince !== undefined) filters.push(changed(changedSince));
  const wanted = statuses === undefined ? sql`true` : sql`state = any(${statuses}::text[])`;
  const way = isDescending ? sql`desc` : sql`asc`;
  const order =
    sort === "attention"
      ? sql`array_position(${attentionOrder}::text[], state) ${way}, trouble ${isDescending ? sql`asc` : sql`desc`}`
      : sql`${keys[sort]} ${way} nulls last`;
  return sql<{ ids: string[] | null; counts: Partial<SensorOrder["counts"]> | null; version: string }>`
    with fits as materialized (
      select s.sensor_id, s.natural_key, m.model_id, o.newest_reading_at, o.skill, o.coverage,
        coalesce(o.trouble, 0) as trouble, ${statusSql(staleBefore)} as state,
        ${ifFresh(sql`o.chance`, staleBefore)} as chance
      from ${described} where ${sql.join(filters, sql` and `)}
    )
    select (select json_agg(sensor_id order by ${order}, natural_key, sensor_id) from fits where ${wanted}) as ids,
      (select json_object_agg(state, n) from (select state, count(*) as n from fits group by state) as c) as counts,
      pg_snapshot_xmin(pg_current_snapshot())::text as version`;
}

/** A version of another server, or of one that was restored, tells nothing: everything counts as changed. */
function changed(since: string) {
  const version = sql`${since}::text::xid8`;
  return sql`(o.sensor_id is null or greatest(o.changed_by, p.changed_by, m.changed_by) >= ${version} or ${version} > pg_snapshot_xmin(pg_current_snapshot()))`;
}

function sensorRows(sensorIds: string[], staleBefore: Date) {
  return sql<Row>`
    select s.sensor_id, s.first_seen_at, o.slot, o.status, o.reason, o.reason_text, o.have, o.need, o.held, o.decided_at,
      o.newest_reading_at, o.skill, o.coverage, o.trouble, o.merit, ${nameOf} as name, ${groupOf} as group_path,
      m.model_id as champion, ${statusSql(staleBefore)} as state,
      ${ifFresh(sql`o.chance`, staleBefore)} as chance, o.crossing
    from ${described} join unnest(${sensorIds}::text[]) with ordinality as w (id, place) on w.id = s.sensor_id
    order by w.place`;
}

/** core's `statusOf`, of the sensor's newest outcome `o`. */
function statusSql(staleBefore: Date) {
  const cases = statusCases.map(({ outcome, reason, isOld, status }) => {
    const parts = [sql`true`];
    if (outcome === null) parts.push(sql`o.slot is null`);
    else if (outcome !== undefined) parts.push(sql`o.status = ${outcome}::text`);
    if (reason !== undefined) parts.push(sql`o.reason = ${reason}::text`);
    if (isOld) parts.push(sql`o.slot < ${staleBefore}::timestamptz`);
    return sql`when ${sql.join(parts, sql` and `)} then ${status}::text`;
  });
  return sql`case ${sql.join(cases, sql` `)} end`;
}

/** A chance that was told too long ago says nothing any more. */
function ifFresh(value: RawBuilder<unknown>, staleBefore: Date) {
  return sql`case when o.slot >= ${staleBefore}::timestamptz then ${value} end`;
}

function toSensorRow(row: Row): SensorRow {
  return {
    sensorId: row.sensor_id,
    firstSeenAt: row.first_seen_at,
    status: row.state,
    lastOutcome: row.slot === null ? null : toFields(outcomeColumns, row),
    newestReadingAt: row.newest_reading_at,
    name: row.name,
    group: row.group_path,
    modelId: row.champion,
    merit: toMerit(row),
    crossing: toCrossing(row),
  };
}

function toMerit({ skill, coverage, trouble, merit }: Row): Merit | null {
  return merit && { skill, coverage, trouble: trouble ?? 0, targets: merit };
}
