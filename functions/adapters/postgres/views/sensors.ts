import { type Kysely, type Selectable, sql } from "kysely";
import {
  attentionOrder,
  type SensorQuery,
  type SensorRow,
  type SensorStatus,
  statusCases,
} from "../../../../core/forecast/sensor.ts";
import type { Views } from "../../../../core/views.ts";
import { toFields } from "../columns.ts";
import type { PredictorSchema } from "../schema.ts";
import { outcomeColumns } from "../tables.ts";

type OutcomeRow = Selectable<PredictorSchema["outcome"]>;
type Row = OutcomeRow & { first_seen_at: Date; state: SensorStatus; champion: string | null };

/** Sensors with their newest outcome and the state that follows from it; pages by key, so that writes move nothing. */
export function sensorViews(
  db: Kysely<PredictorSchema>,
): Pick<Views, "sensors" | "knownSensors" | "sensorCount" | "outcomes"> {
  return {
    async sensors(query) {
      const { rows } = await sensorPage(query).execute(db);
      return rows.map(toSensorRow);
    },
    async knownSensors(sensorIds) {
      const { rows } = await sql<{ sensor_id: string }>`
        select sensor_id from sensor where sensor_id = any(${sensorIds}::text[])`.execute(db);
      return new Set(rows.map((row) => row.sensor_id));
    },
    async sensorCount() {
      const { rows } = await sql<{ n: number }>`select count(*)::float8 as n from sensor`.execute(db);
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

function sensorPage(query: SensorQuery) {
  const { sensorIds, statuses, search, group, after, asOf, staleBefore } = query;
  const rank = (state: ReturnType<typeof sql>) => sql`array_position(${attentionOrder}::text[], ${state})`;
  const filters = [sql`true`];
  if (sensorIds !== undefined) filters.push(sql`s.sensor_id = any(${sensorIds}::text[])`);
  if (search !== undefined) filters.push(sql`position(lower(${search}) in lower(${searched})) > 0`);
  if (group !== undefined) filters.push(sql`(${groupOf} = ${group} or starts_with(${groupOf}, ${`${group}/`}))`);
  if (asOf !== null) filters.push(sql`s.first_seen_at <= ${asOf}`);
  const later = [sql`true`];
  if (statuses !== undefined) later.push(sql`state = any(${statuses}::text[])`);
  if (after !== undefined) {
    later.push(
      query.sort === "sensorId"
        ? sql`sensor_id > ${after.sensorId}`
        : sql`(${rank(sql`state`)}, sensor_id) > (${rank(sql`${after.status}::text`)}, ${after.sensorId})`,
    );
  }
  const order = query.sort === "sensorId" ? sql`sensor_id` : sql`${rank(sql`state`)}, sensor_id`;
  return sql<Row>`
    select * from (
      select s.sensor_id, s.first_seen_at, o.slot, o.status, o.reason, o.reason_text, o.have, o.need, o.held, o.decided_at,
        m.model_id as champion,
        ${statusSql(staleBefore)} as state
      from sensor s left join sensor_profile p using (sensor_id)
      left join model m on m.sensor_id = s.sensor_id and m.status = 'champion'
      left join lateral (
        select * from outcome
        where outcome.sensor_id = s.sensor_id and ${asOf === null ? sql`true` : sql`decided_at <= ${asOf}`}
        order by slot desc
        limit 1
      ) o on true
      where ${sql.join(filters, sql` and `)}
    ) as described
    where ${sql.join(later, sql` and `)}
    order by ${order}
    limit ${query.limit}`;
}

const groupOf = sql`coalesce(p.group_path, p.source_group)`;
/** A character that no text holds parts them. */
const searched = sql`concat_ws(chr(31), s.sensor_id, coalesce(p.name, p.source_name), ${groupOf},
  coalesce(p.place, p.source_place))`;

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

function toSensorRow(row: Row): SensorRow {
  return {
    sensorId: row.sensor_id,
    firstSeenAt: row.first_seen_at,
    status: row.state,
    lastOutcome: row.slot === null ? null : toFields(outcomeColumns, row),
    modelId: row.champion,
  };
}
