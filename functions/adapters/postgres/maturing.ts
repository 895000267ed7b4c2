import { type Kysely, type Selectable, sql } from "kysely";
import type { Triple } from "../../../core/data/quantiles.ts";
import type { Forecast } from "../../../core/forecast/forecast.ts";
import { type MaturedForecast, type MaturedQuery, maturedLeads } from "../../../core/forecast/matured.ts";
import { weightedMean } from "../../../core/mix/mix.ts";
import { addSeconds } from "../../../core/time.ts";
import { toForecast } from "./forecast-row.ts";
import { issuedFields, type issuedReader, packField, withPack } from "./issued.ts";
import { type IssuedRow, type Lineage, reader } from "./issued-row.ts";
import { openPack } from "./mix-pack.ts";
import type { MixedLead } from "./mixed-lead.ts";
import type { PredictorSchema } from "./schema.ts";

type Database = Kysely<PredictorSchema>;
type Reader = ReturnType<typeof issuedReader>;

/** Forecasts with a lead in (after, upTo], whole: of each origin and model the first that was issued. */
export async function maturing(
  db: Database,
  issued: Reader,
  sensorIds: string[],
  after: Date,
  upTo: Date,
): Promise<Forecast[]> {
  const span = await issued.spanSeconds();
  // Before the rest: what moves over meanwhile is met twice, and never missed.
  const before = (await issued.hasBefore()) ? await maturingBefore(db, sensorIds, after, upTo) : [];
  const found = await issued.forecasts(sql<IssuedRow>`
    select ${issuedFields(packField, sql`null::int2[]`)}
    from sensor_key k join issued i using (sensor_no) join lineage l using (lineage_id) ${withPack}
    where k.sensor_id = any(${sensorIds}::text[]) and i.slot >= ${addSeconds(after, -span)}
      and i.origin + make_interval(secs => l.last_lead * l.step_seconds) > ${after}
      and i.origin + make_interval(secs => l.step_seconds) <= ${upTo}
      and i.issued_at < i.origin + make_interval(secs => l.last_lead * l.step_seconds)
    order by i.issued_at`);
  const order = (one: Forecast) => [one.sensorId, one.target, one.origin.toISOString(), one.modelKey];
  return [...before, ...found]
    .filter(firstOf())
    .map((forecast) => ({ forecast, key: order(forecast) }))
    .sort((a, b) => compareTexts(a.key, b.key))
    .map(({ forecast }) => forecast);
}

async function maturingBefore(db: Database, sensorIds: string[], after: Date, upTo: Date): Promise<Forecast[]> {
  const { rows } = await sql<Selectable<PredictorSchema["forecast_before"]>>`
    select * from forecast_before
    where sensor_id = any(${sensorIds}::text[]) and ends_at > ${after}
      and origin + make_interval(secs => step_seconds) <= ${upTo} and issued_at < ends_at`.execute(db);
  return rows.map(toForecast);
}

/** One lead of a row, all its targets; times in epoch seconds, which cost a tenth of what dates do. */
type LeadRow = {
  sensorId: string;
  lineageId: string;
  slot: number;
  origin: number;
  issuedAt: number;
  isServed: boolean;
  lead: number;
  /** Of the lead among the lineage's, the first 1. */
  place: number;
  last: number[] | null;
  lastExact: number[] | null;
  steps: number[] | null;
  exact: number[] | null;
  /** Of all leads, in the first row of an origin; null in the others. */
  pack: string | null;
};

/** The leads that matured, each sensor's from its own moment on: one statement a shard. */
export async function matured(
  db: Database,
  issued: Reader,
  wanted: MaturedQuery[],
  upTo: Date,
): Promise<MaturedForecast[]> {
  if (wanted.length === 0) return [];
  const before = (await issued.hasBefore()) ? await maturedBefore(db, wanted, upTo) : [];
  const [ids, from] = [wanted.map((one) => one.sensorId), wanted.map((one) => one.from)];
  const span = await issued.spanSeconds();
  const oldest = new Date(Math.min(...from.map(Number)));
  const targets = sql`cardinality(l.targets)`;
  const [first, last] = [
    sql`3 * ${targets} * (p.place - 1) + ${targets} + 1`,
    sql`3 * ${targets} * p.place + ${targets}`,
  ];
  // Of the origins within reach the few that a lead joins to a wanted moment, before their packs are looked at.
  const { rows } = await sql<LeadRow>`
    with i as materialized (select i.sensor_no, k.sensor_id, i.slot, i.lineage_id, i.origin, i.issued_at, i.is_served, l.leads,
      p.lead, p.place, i.steps[1:${targets}] as last, i.exact[1:${targets}] as last_exact,
      i.steps[${first} : ${last}] as steps, i.exact[${first} : ${last}] as exact
    from unnest(${ids}::text[], ${from}::timestamptz[]) as w (sensor_id, since)
    join sensor_key k on k.sensor_id = w.sensor_id
    join issued i on i.sensor_no = k.sensor_no and i.slot >= ${addSeconds(oldest, -span)} and i.slot < ${upTo}
    join lineage l on l.lineage_id = i.lineage_id
    cross join lateral (
      select lead::int, case when l.lead_list is null then lead::int else array_position(l.lead_list, lead::int) end as place
      from generate_series(
        greatest(1, ceil(extract(epoch from w.since - i.origin) / l.step_seconds)),
        least(l.last_lead, floor(extract(epoch from ${upTo} - i.origin) / l.step_seconds))) as lead
    ) as p
    where p.place is not null and i.issued_at < i.origin + make_interval(secs => p.lead * l.step_seconds))
    select sensor_id as "sensorId", i.lineage_id::text as "lineageId", extract(epoch from i.slot)::float8 as slot,
      extract(epoch from i.origin)::float8 as origin, extract(epoch from issued_at)::float8 as "issuedAt", is_served as "isServed", lead, place, last, last_exact as "lastExact",
      steps, exact, case when row_number() over (partition by sensor_id, i.slot, i.origin, issued_at, i.lineage_id
        order by lead) = 1 then encode(m.pack, 'base64') end as pack
    from i ${withPack} and m.slot >= ${addSeconds(oldest, -span)} and m.slot < ${upTo}
    order by sensor_id, i.origin, issued_at, i.slot, i.lineage_id, lead`.execute(db);
  const lineages = await issued.lineagesOf(rows.map((row) => row.lineageId));
  // The rows of one forecast follow each other, its pack with the first.
  let open: ReturnType<typeof openPack> | null = null;
  let newest: LeadRow | null = null;
  const found: MaturedForecast[] = [];
  for (const row of rows) {
    const lineage = lineages.get(row.lineageId)!;
    if (newest === null || !isOfOneForecast(newest, row))
      open = row.pack === null ? null : openedPack(row.pack, lineage);
    newest = row;
    found.push(...toMatured(row, lineage, open));
  }
  return [...before, ...found].filter(firstOf());
}

async function maturedBefore(db: Database, wanted: MaturedQuery[], upTo: Date): Promise<MaturedForecast[]> {
  const from = new Map(wanted.map((one) => [one.sensorId, one.from]));
  const oldest = new Date(Math.min(...wanted.map((one) => Number(one.from))) - 1);
  const forecasts = await maturingBefore(db, [...from.keys()], oldest, upTo);
  return forecasts.flatMap((one) =>
    maturedLeads([one], (at) => at >= from.get(one.sensorId)!.getTime() && at <= upTo.getTime()),
  );
}

function openedPack(pack: string, { leads, targets }: Lineage) {
  return openPack(
    Buffer.from(pack, "base64"),
    leads.length,
    targets.map((target) => target.resolution),
  );
}

function isOfOneForecast(a: LeadRow, b: LeadRow): boolean {
  return (
    a.sensorId === b.sensorId &&
    a.origin === b.origin &&
    a.issuedAt === b.issuedAt &&
    a.lineageId === b.lineageId &&
    a.slot === b.slot
  );
}

function toMatured(
  row: LeadRow,
  { stepSeconds, targets }: Lineage,
  mixedOf: ((n: number, h: number) => MixedLead) | null,
): MaturedForecast[] {
  const { sensorId, lead, isServed } = row;
  const [origin, issuedAt] = [toDate(row.origin), toDate(row.issuedAt)];
  const targetAt = addSeconds(origin, lead * stepSeconds);
  return targets.map(({ target, modelKey, reason, resolution, isMixed }, n) => {
    const value = reader(row, resolution);
    const final: Triple = [value(3 * n), value(3 * n + 1), value(3 * n + 2)];
    const read = mixedOf?.(n, row.place - 1);
    const mix = isMixed && read ? { experts: read.experts, mixed: weightedMean(read.experts, read.weights) } : null;
    return {
      ...{ sensorId, target, modelKey, isServed, reason, origin, issuedAt, targetAt, lead, final, mix },
      lastValue: reader({ steps: row.last, exact: row.lastExact }, resolution)(n),
      seasonalNaive: read?.seasonalNaive ?? null,
    };
  });
}

function toDate(seconds: number): Date {
  return new Date(Math.round(seconds * 1000));
}

type Kept = Pick<Forecast, "sensorId" | "target" | "origin" | "modelKey"> & { lead?: number };

/** True for what comes first of its natural key: a slot that repeats an origin adds nothing. */
function firstOf(): (one: Kept) => boolean {
  const seen = new Set<string>();
  return ({ sensorId, target, origin, modelKey, lead }) => {
    // No text in Postgres holds a NUL.
    const key = `${sensorId}\0${target}\0${modelKey}\0${origin.getTime()}\0${lead}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  };
}

function compareTexts(a: string[], b: string[]): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at < 0 ? 0 : a[at]! < b[at]! ? -1 : 1;
}
