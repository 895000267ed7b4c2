import { type Kysely, type Selectable, sql } from "kysely";
import type { Forecast } from "../../../../core/forecast/forecast.ts";
import { addSeconds } from "../../../../core/time.ts";
import type { PredictorSchema } from "../schema.ts";
import { toForecast } from "./forecast-row.ts";
import { issuedFields, type issuedReader, packField, withPack } from "./issued.ts";
import type { IssuedRow } from "./issued-row.ts";

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
  const found = await issued.forecasts(
    sql<IssuedRow>`
    select ${issuedFields(packField)}
    from sensor_key k join issued i using (sensor_no) join lineage l using (lineage_id) ${withPack}
    where k.sensor_id = any(${sensorIds}::text[]) and i.slot >= ${addSeconds(after, -span)}
      and i.origin + make_interval(secs => l.last_lead * l.step_seconds) > ${after}
      and i.origin + make_interval(secs => l.step_seconds) <= ${upTo}
      and i.issued_at < i.origin + make_interval(secs => l.last_lead * l.step_seconds)
    order by i.issued_at`,
    { withShares: false },
  );
  const order = (one: Forecast) => [one.sensorId, one.target, one.origin.toISOString(), one.modelKey];
  return [...before, ...found]
    .filter(firstOf())
    .map((forecast) => ({ forecast, key: order(forecast) }))
    .sort((a, b) => compareTexts(a.key, b.key))
    .map(({ forecast }) => forecast);
}

/** The same of the table of before, in no order. */
export async function maturingBefore(db: Database, sensorIds: string[], after: Date, upTo: Date): Promise<Forecast[]> {
  const { rows } = await sql<Selectable<PredictorSchema["forecast_before"]>>`
    select * from forecast_before
    where sensor_id = any(${sensorIds}::text[]) and ends_at > ${after}
      and origin + make_interval(secs => step_seconds) <= ${upTo} and issued_at < ends_at`.execute(db);
  return rows.map(toForecast);
}

type Kept = Pick<Forecast, "sensorId" | "target" | "origin" | "modelKey"> & { lead?: number };

/** True for what comes first of its natural key: a slot that repeats an origin adds nothing. */
export function firstOf(): (one: Kept) => boolean {
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
