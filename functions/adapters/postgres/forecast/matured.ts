import { type Kysely, sql } from "kysely";
import type { Triple } from "../../../../core/data/quantiles.ts";
import { type Resolution, valueOfStep } from "../../../../core/data/resolution.ts";
import { type MaturedForecast, type MaturedQuery, maturedLeads } from "../../../../core/forecast/matured.ts";
import { weightedMean } from "../../../../core/mix/mix.ts";
import { eachRecord, float8sAt, int2sAt, timeAt } from "../record-rows.ts";
import type { PredictorSchema } from "../schema.ts";
import type { issuedReader } from "./issued.ts";
import { stepsOfLead } from "./issued-pack.ts";
import type { Lineage } from "./issued-row.ts";
import { firstOf, maturingBefore } from "./maturing.ts";
import { blockFormat, blockLeads, leadOfBlock } from "./mix-blocks.ts";
import { leadOfPack } from "./mix-pack.ts";

type Database = Kysely<PredictorSchema>;
type Reader = ReturnType<typeof issuedReader>;

/** What one sensor's forecasts said of the wanted moments. */
type SensorRows = { sensorId: string; lineages: string[]; rows: string };

/** One lead of a forecast as it was stored, with all its targets; times in epoch milliseconds. */
type LeadRow = {
  lineage: Lineage;
  slot: number;
  origin: number;
  issuedAt: number;
  isServed: boolean;
  lead: number;
  /** Of the lead among the lineage's, from 0. */
  place: number;
  /** Per target the last value, then per target q10, q50, q90. */
  value: (i: number) => number;
  /** The block that has the lead, or all of a pack that has none. */
  isBlock: boolean;
  pack: Buffer | null;
};

/** The leads that matured, each sensor's from its own moment on: one statement a shard, one value a sensor. */
export async function matured(
  db: Database,
  issued: Reader,
  wanted: MaturedQuery[],
  upTo: Date,
): Promise<Iterable<MaturedForecast[]>> {
  if (wanted.length === 0) return [];
  const before = (await issued.hasBefore()) ? await maturedBefore(db, wanted, upTo) : [];
  const rows = await read(db, wanted, upTo, await issued.spanSeconds());
  const lineages = await issued.lineagesOf(rows.flatMap((one) => one.lineages));
  return sensorBySensor(rows, lineages, before);
}

/** Opened when it is asked for: what one sensor's forecasts said is forgotten before the next one's is read. */
function* sensorBySensor(
  rows: SensorRows[],
  lineages: Map<string, Lineage>,
  before: MaturedForecast[],
): Iterable<MaturedForecast[]> {
  const bySensor = Map.groupBy(before, ({ sensorId }) => sensorId);
  for (const row of rows) {
    const known = bySensor.get(row.sensorId);
    const found = ofSensor(row, lineages);
    yield known ? [...known, ...found].filter(firstOf()) : found;
    bySensor.delete(row.sensorId);
  }
  yield* bySensor.values();
}

async function read(db: Database, wanted: MaturedQuery[], upTo: Date, span: number): Promise<SensorRows[]> {
  const [ids, from] = [wanted.map((one) => one.sensorId), wanted.map((one) => one.from)];
  const oldest = new Date(Math.min(...from.map(Number)) - 1000 * span);
  const ofPlace = sql`l.size * (3 * p.place - 2) + 1 : l.size * (3 * p.place + 1)`;
  // Each `offset 0` keeps what stands in it from being looked at for rows that a later step leaves out.
  const { rows } = await sql<SensorRows>`
    select w.sensor_id as "sensorId", found.lineages, encode(found.rows, 'base64') as rows
    from (
      select k.sensor_no, w.sensor_id, w.since
      from unnest(${ids}::text[], ${from}::timestamptz[]) as w (sensor_id, since) join sensor_key k using (sensor_id)
    ) as w
    cross join lateral (
      select array_agg(distinct r.lineage_id)::text[] as lineages, string_agg(record_send(r), '') as rows
      from (
        select i.lineage_id, i.slot, i.origin, i.issued_at, i.is_served, p.lead, p.place, i.packed,
          i.steps[1 : l.size] || i.steps[${ofPlace}] as steps, i.exact[1 : l.size] || i.exact[${ofPlace}] as exact,
          m.is_in_blocks, case when m.is_in_blocks then substring(m.pack from m.start + 1 for m.behind - m.start)
            else m.pack end as pack
        from issued i
        join lateral (
          select cardinality(targets) as size, step_seconds, lead_list, last_lead from lineage
          where lineage.lineage_id = i.lineage_id offset 0
        ) as l on true
        cross join lateral (
          select generate_series(
            greatest(1, ceil(date_part('epoch', w.since - i.origin) / l.step_seconds)::integer),
            least(l.last_lead, floor(date_part('epoch', ${upTo}::timestamptz - i.origin) / l.step_seconds)::integer)) as lead
        ) as d
        cross join lateral (
          select d.lead, case when l.lead_list is null then d.lead else array_position(l.lead_list, d.lead) end as place
          offset 0
        ) as p
        left join lateral (
          select pack, get_byte(pack, 0) = ${sql.lit(blockFormat)} as is_in_blocks, ${offset(0)} as start, ${offset(1)} as behind
          from issued_mix m where m.sensor_no = i.sensor_no and m.slot = i.slot and m.origin = i.origin
            and m.lineage_id = i.lineage_id and m.slot >= ${oldest} and m.slot < ${upTo}
          offset 0
        ) as m on p.place is not null
        where i.sensor_no = w.sensor_no and i.slot >= ${oldest} and i.slot < ${upTo} and p.place is not null
          and i.issued_at < i.origin + make_interval(secs => p.lead * l.step_seconds)
      ) as r
    ) as found
    where found.rows is not null`.execute(db);
  return rows;
}

/** Where the block of a place begins, or the next one; of a pack in blocks (mix-blocks.ts). */
function offset(next: 0 | 1) {
  const at = sql`2 + 2 * ((p.place - 1) / ${sql.lit(blockLeads)} + ${sql.lit(next)})`;
  return sql`case get_byte(pack, 0) when ${sql.lit(blockFormat)} then 256 * get_byte(pack, ${at}) + get_byte(pack, ${at} + 1) end`;
}

async function maturedBefore(db: Database, wanted: MaturedQuery[], upTo: Date): Promise<MaturedForecast[]> {
  const from = new Map(wanted.map((one) => [one.sensorId, one.from]));
  const oldest = new Date(Math.min(...wanted.map((one) => Number(one.from))) - 1);
  const forecasts = await maturingBefore(db, [...from.keys()], oldest, upTo);
  return forecasts.flatMap((one) =>
    maturedLeads([one], (at) => at >= from.get(one.sensorId)!.getTime() && at <= upTo.getTime()),
  );
}

/** Room for one sensor's rows; filled anew each time. */
let room = Buffer.alloc(0);

/** One sensor's matured leads by origin; of an origin, a model and a lead the first that was issued. */
function ofSensor({ sensorId, rows }: SensorRows, lineages: Map<string, Lineage>): MaturedForecast[] {
  if (room.length < rows.length) room = Buffer.alloc(2 * rows.length);
  const bytes = room.subarray(0, room.write(rows, "base64"));
  const ordered = leadRows(bytes, lineages).sort(
    (a, b) => a.origin - b.origin || a.issuedAt - b.issuedAt || a.slot - b.slot,
  );
  const found: MaturedForecast[] = [];
  let [origin, firstOfOrigin] = [Number.NaN, 0];
  for (const row of ordered) {
    if (row.origin !== origin) [origin, firstOfOrigin] = [row.origin, found.length];
    putMatured(found, firstOfOrigin, sensorId, row);
  }
  return found;
}

/** Whether the same was said before from the same origin: a slot that repeats it adds nothing. */
function isKnown(found: MaturedForecast[], from: number, lead: number, { target, modelKey }: Named): boolean {
  for (let i = from; i < found.length; i++) {
    const other = found[i]!;
    if (other.lead === lead && other.target === target && other.modelKey === modelKey) return true;
  }
  return false;
}

type Named = Pick<MaturedForecast, "target" | "modelKey">;

function leadRows(bytes: Buffer, lineages: Map<string, Lineage>): LeadRow[] {
  const rows: LeadRow[] = [];
  const lineageAt = lineageReader(bytes, lineages);
  eachRecord(
    bytes,
    ([lineageId, slot, origin, issuedAt, isServed, lead, place, packed, steps, exact, isBlock, pack]) => {
      const lineage = lineageAt(lineageId!.from);
      const h = bytes.readInt32BE(place!.from) - 1;
      rows.push({
        ...{ lineage, slot: timeAt(bytes, slot!), origin: timeAt(bytes, origin!), issuedAt: timeAt(bytes, issuedAt!) },
        isServed: bytes[isServed!.from] === 1,
        lead: bytes.readInt32BE(lead!.from),
        place: h,
        value: packed
          ? valuesOf(packedAt(bytes.subarray(packed.from, packed.to), lineage, h), lineage)
          : steps
            ? valuesOf(int2sAt(bytes, steps), lineage)
            : float8sAt(bytes, exact!),
        isBlock: isBlock != null && bytes[isBlock.from] === 1,
        pack: pack ? bytes.subarray(pack.from, pack.to) : null,
      });
    },
  );
  return rows;
}

/** Rows mostly have the lineage of the row before: a text is made for one that differs alone. */
function lineageReader(bytes: Buffer, lineages: Map<string, Lineage>): (at: number) => Lineage {
  let [high, low] = [Number.NaN, Number.NaN];
  let lineage: Lineage | undefined;
  return (at) => {
    const [ownHigh, ownLow] = [bytes.readInt32BE(at), bytes.readInt32BE(at + 4)];
    if (ownHigh !== high || ownLow !== low) lineage = lineages.get(bytes.readBigInt64BE(at).toString());
    [high, low] = [ownHigh, ownLow];
    return lineage!;
  };
}

function packedAt(packed: Buffer, { targets, leads }: Lineage, h: number): (i: number) => number {
  const steps = stepsOfLead(packed, targets.length, leads.length, h);
  return (i) => steps[i]!;
}

function valuesOf(stepAt: (i: number) => number, { targets }: Lineage): (i: number) => number {
  const size = targets.length;
  return (i) => valueOfStep(targets[i < size ? i : Math.floor((i - size) / 3)]!.resolution!, stepAt(i));
}

/** Adds what the row says of its lead, target by target. Without spreads: a shard has thousands of leads. */
function putMatured(found: MaturedForecast[], firstOfOrigin: number, sensorId: string, row: LeadRow): void {
  const { lineage, isServed, lead, value, pack } = row;
  const { leads, stepSeconds, targets } = lineage;
  const [origin, issuedAt] = [new Date(row.origin), new Date(row.issuedAt)];
  const targetAt = new Date(row.origin + 1000 * lead * stepSeconds);
  const read = pack && (row.isBlock ? leadOfBlock : leadOfPack)(pack, leads.length, resolutionsOf(lineage), row.place);
  for (let n = 0; n < targets.length; n++) {
    const named = targets[n]!;
    if (isKnown(found, firstOfOrigin, lead, named)) continue;
    const { target, modelKey, reason, resolution, isMixed } = named;
    const at = targets.length + 3 * n;
    const final: Triple = [value(at), value(at + 1), value(at + 2)];
    const said = read?.[n];
    const mix = isMixed && said ? { experts: said.experts, mixed: weightedMean(said.experts, said.weights) } : null;
    const seasonalNaive = said?.seasonalNaive ?? null;
    found.push({
      sensorId,
      target,
      modelKey,
      isServed,
      reason,
      resolution,
      origin,
      issuedAt,
      targetAt,
      lead,
      final,
      lastValue: value(n),
      seasonalNaive,
      mix,
    });
  }
}

const resolutions = new WeakMap<Lineage, (Resolution | null)[]>();

function resolutionsOf(lineage: Lineage): (Resolution | null)[] {
  const known = resolutions.get(lineage) ?? lineage.targets.map(({ resolution }) => resolution);
  resolutions.set(lineage, known);
  return known;
}
