import { type Kysely, type RawBuilder, sql } from "kysely";
import type { ScoreSums } from "../../../core/forecast/accuracy.ts";
import type { LikeliestCrossing } from "../../../core/forecast/crossing.ts";
import { type Merit, meritOf } from "../../../core/forecast/merit.ts";
import { addSeconds } from "../../../core/time.ts";
import { names, recordset } from "./bulk.ts";
import { column, type RowOf } from "./columns.ts";
import { moveRevision } from "./revision.ts";
import type { PredictorSchema } from "./schema.ts";
import { noSums, type ScoreTotals } from "./score/score-sums.ts";
import { outcomeColumns } from "./tables.ts";

const meritSeconds = 7 * 86_400;
/** A week's sums hardly move within an hour. */
const meritAgeSeconds = 3_600;

/**
 * The statement within `with ... decided, given, made`, those of the ledger, that keeps `sensor_state` with them: the
 * newest decided outcome with its crossing, the newest served forecast's slot and its newest reading.
 */
export function keepState(): RawBuilder<unknown> {
  const columns = { ...outcomeColumns, ...crossingColumns };
  const fields = Object.keys(columns).filter((name) => name !== "sensor_id");
  const isNewer = sql`excluded.slot >= coalesce(s.slot, '-infinity')`;
  const set = fields.map(
    (name) => sql`${sql.ref(name)} = case when ${isNewer} then ${sql.ref(`excluded.${name}`)}
      else ${sql.ref(`s.${name}`)} end`,
  );
  return sql`
    insert into sensor_state as s (${names(columns)}, forecast_slot, newest_reading_at)
    select sensor_id, ${sql.join(fields.map((name) => sql.ref(`o.${name}`)))}, f.slot, f.read_at
    from (
      select distinct on (sensor_id) given.* from given join decided using (sensor_id, slot) order by sensor_id, slot desc
    ) as o
    full join (
      select sensor_id, max(slot) as slot, max(source_watermark) as read_at from made where is_served group by sensor_id
    ) as f using (sensor_id)
    order by sensor_id
    on conflict (sensor_id) do update set ${sql.join(set)},
      forecast_slot = greatest(s.forecast_slot, excluded.forecast_slot),
      newest_reading_at = greatest(s.newest_reading_at, excluded.newest_reading_at), changed_by = excluded.changed_by`;
}

/** Of a sensor's likeliest crossing: its chance by itself, for sorting, and the rest. */
export const crossingColumns = {
  chance: column<number | null>("real"),
  crossing: column<StoredCrossing | null>("jsonb"),
};
type StoredCrossing = Omit<LikeliestCrossing, "chance" | "crossesAt"> & { crossesAt: string };

export function toCrossingColumns(crossing: LikeliestCrossing | undefined): RowOf<typeof crossingColumns> {
  if (crossing === undefined) return { chance: null, crossing: null };
  const { chance, crossesAt, ...rest } = crossing;
  return { chance, crossing: { ...rest, crossesAt: crossesAt.toISOString() } };
}

export function toCrossing({ chance, crossing }: RowOf<typeof crossingColumns>): LikeliestCrossing | null {
  if (chance === null || crossing === null) return null;
  return { ...crossing, chance, crossesAt: new Date(crossing.crossesAt) };
}

/**
 * Brings the merits of those of these sensors up to date whose merit is an hour old; each at a time of its own,
 * so that no cycle has all of them to do.
 */
export async function refreshMerits(
  db: Kysely<PredictorSchema>,
  totals: ScoreTotals,
  sensorIds: string[],
  now: Date,
): Promise<void> {
  const due = await dueMerits(db, sensorIds, now);
  if (due.length === 0) return;
  const after = addSeconds(now, -meritSeconds);
  const sums = await totals({ sensorIds: due.map(({ sensorId }) => sensorId), after, asOf: null });
  const bySensor = Map.groupBy(sums, (one) => one.sensorId);
  const merits = due.map(({ sensorId, targets, modelKeys }) => {
    const own = targets.map((target, i) => {
      const key = { sensorId, target, modelKey: modelKeys[i]! };
      const isOf = (one: ScoreSums) => one.target === target && one.modelKey === key.modelKey;
      return bySensor.get(sensorId)?.find(isOf) ?? { ...key, ...noSums };
    });
    const { skill, coverage, trouble, targets: merit } = meritOf(own);
    return { sensor_id: sensorId, skill, coverage, trouble, merit, scored_at: now };
  });
  const fields = Object.keys(meritColumns).filter((name) => name !== "sensor_id");
  await sql`
    update sensor_state as s
    set ${sql.join(fields.map((name) => sql`${sql.ref(name)} = ${sql.ref(`n.${name}`)}`))}, changed_by = pg_current_xact_id()
    from (
      select known.sensor_id from sensor_state known where known.sensor_id = any(${merits.map((one) => one.sensor_id)}::text[])
      order by known.sensor_id for update
    ) as locked join ${recordset(merits, "n", meritColumns)} using (sensor_id)
    where s.sensor_id = locked.sensor_id`.execute(db);
  await moveRevision(db);
}

/** What served those of these sensors whose merit is due, in the newest slot of each. */
async function dueMerits(db: Kysely<PredictorSchema>, sensorIds: string[], now: Date) {
  const { rows: states } = await sql<{ sensorNo: number; slot: Date }>`
    select k.sensor_no as "sensorNo", st.forecast_slot as slot from sensor_state st join sensor_key k using (sensor_id)
    where st.sensor_id = any(${sensorIds}::text[]) and st.forecast_slot is not null
      and (st.scored_at is null or st.scored_at > ${now} or st.scored_at < ${addSeconds(now, -meritAgeSeconds)}::timestamptz
        + ${meritAgeSeconds / 2} * random() * interval '1 second')`.execute(db);
  if (states.length === 0) return [];
  const slots = states.map(({ slot }) => slot);
  // The list of all slots says it before the rows are met: then no other day is planned for.
  const { rows } = await sql<{ sensorId: string; targets: string[]; modelKeys: string[] }>`
    select k.sensor_id as "sensorId", l.targets, l.model_keys as "modelKeys"
    from unnest(${states.map(({ sensorNo }) => sensorNo)}::integer[], ${slots}::timestamptz[]) as w (sensor_no, slot)
    join sensor_key k using (sensor_no)
    join issued i on i.sensor_no = w.sensor_no and i.slot = w.slot and i.is_served
    join lineage l using (lineage_id)
    where i.slot = any(${[...new Set(slots.map((slot) => slot.toISOString()))]}::timestamptz[])`.execute(db);
  return rows;
}

const meritColumns = {
  sensor_id: column<string>("text"),
  skill: column<number | null>("real"),
  coverage: column<number | null>("real"),
  trouble: column<number>("real"),
  merit: column<Merit["targets"]>("jsonb"),
  scored_at: column<Date>("timestamptz"),
};
