import { type Kysely, sql } from "kysely";
import type { ScoredMoment } from "../../../../core/forecast/score.ts";
import { addSeconds } from "../../../../core/time.ts";
import type { issuedReader } from "../forecast/issued.ts";
import { eachRecord, timeAt } from "../record-rows.ts";
import type { PredictorSchema } from "../schema.ts";
import type { ReadSums } from "./stored-sums.ts";

type Database = Kysely<PredictorSchema>;
type Reader = ReturnType<typeof issuedReader>;

/** What a model said of a target from one origin, when it was first issued; times in epoch ms. */
type Said = { origin: number; issuedAt: number; stepMs: number; isLead: (lead: number) => boolean };
/** Of one sensor, by target and model, then by origin. */
type SaidOf = Map<string, Map<number, Said>>;

/** Moments in (after, upTo] of whose scores fewer leads are scored than were issued before them. */
export async function early(
  db: Database,
  { issued, read }: { issued: Reader; read: ReadSums },
  sensorIds: string[],
  after: Date,
  upTo: Date,
): Promise<ScoredMoment[]> {
  const [scores, said] = await Promise.all([
    read({ sensorIds, after, upTo }),
    saidOf(db, issued, sensorIds, after, upTo),
  ]);
  const found = new Map<string, ScoredMoment>();
  for (const { sensorId, target, modelKey, targetAt, sums } of scores) {
    const key = `${sensorId}\0${target}\0${targetAt}`;
    if (found.has(key)) continue;
    let due = 0;
    for (const one of said.get(sensorId)?.get(`${target}\0${modelKey}`)?.values() ?? [])
      if (one.issuedAt < targetAt && one.isLead((targetAt - one.origin) / one.stepMs)) due++;
    if (due > sums[0]!) found.set(key, { sensorId, target, targetAt: new Date(targetAt) });
  }
  return [...found.values()];
}

async function saidOf(
  db: Database,
  issued: Reader,
  sensorIds: string[],
  after: Date,
  upTo: Date,
): Promise<Map<string, SaidOf>> {
  const said = new Map<string, SaidOf>();
  const add = (sensorId: string, kind: string, one: Said) => {
    const ofSensor = said.get(sensorId) ?? new Map<string, Map<number, Said>>();
    if (ofSensor.size === 0) said.set(sensorId, ofSensor);
    const ofKind = ofSensor.get(kind) ?? new Map<number, Said>();
    if (ofKind.size === 0) ofSensor.set(kind, ofKind);
    const known = ofKind.get(one.origin);
    if (known === undefined || one.issuedAt < known.issuedAt) ofKind.set(one.origin, one);
  };
  // Before the rest: what moves over meanwhile is met twice, and counts once.
  if (await issued.hasBefore()) await addBefore(db, sensorIds, after, upTo, add);
  await addIssued(db, issued, sensorIds, after, upTo, add);
  return said;
}

type Add = (sensorId: string, kind: string, one: Said) => void;

async function addIssued(db: Database, issued: Reader, sensorIds: string[], after: Date, upTo: Date, add: Add) {
  const oldest = addSeconds(after, -(await issued.spanSeconds()));
  const { rows } = await sql<{ sensorId: string; lineages: string[]; rows: string }>`
    select k.sensor_id as "sensorId", found.lineages, encode(found.rows, 'base64') as rows
    from sensor_key k cross join lateral (
      select array_agg(distinct r.lineage_id)::text[] as lineages, string_agg(record_send(r), '') as rows from (
        select i.lineage_id, i.origin, i.issued_at from issued i
        where i.sensor_no = k.sensor_no and i.slot >= ${oldest} and i.slot < ${upTo}
      ) as r
    ) as found
    where k.sensor_id = any(${sensorIds}::text[]) and found.rows is not null`.execute(db);
  const lineages = await issued.lineagesOf(rows.flatMap((one) => one.lineages));
  for (const { sensorId, rows: text } of rows) {
    const bytes = Buffer.from(text, "base64");
    eachRecord(bytes, ([lineageId, origin, issuedAt]) => {
      const { targets, leads, stepSeconds } = lineages.get(bytes.readBigInt64BE(lineageId!.from).toString())!;
      const isLead = (lead: number) => leads[lead - 1] === lead || leads.includes(lead);
      const one = {
        origin: timeAt(bytes, origin!),
        issuedAt: timeAt(bytes, issuedAt!),
        stepMs: 1000 * stepSeconds,
        isLead,
      };
      for (const { target, modelKey } of targets) add(sensorId, `${target}\0${modelKey}`, one);
    });
  }
}

async function addBefore(db: Database, sensorIds: string[], after: Date, upTo: Date, add: Add): Promise<void> {
  type Row = {
    sensorId: string;
    target: string;
    modelKey: string;
    origin: Date;
    issuedAt: Date;
    steps: number;
    leads: number;
  };
  const { rows } = await sql<Row>`
    select sensor_id as "sensorId", target, model_key as "modelKey", origin, issued_at as "issuedAt", step_seconds as steps,
      (date_part('epoch', ends_at - origin) / step_seconds)::integer as leads
    from forecast_before
    where sensor_id = any(${sensorIds}::text[]) and ends_at > ${after} and origin < ${upTo}`.execute(db);
  for (const { sensorId, target, modelKey, origin, issuedAt, steps, leads } of rows) {
    const isLead = (lead: number) => Number.isInteger(lead) && lead >= 1 && lead <= leads;
    const one = { origin: origin.getTime(), issuedAt: issuedAt.getTime(), stepMs: 1000 * steps, isLead };
    add(sensorId, `${target}\0${modelKey}`, one);
  }
}
