import { type Kysely, sql } from "kysely";
import type { ScoredMoment } from "../../../../core/forecast/score.ts";
import { everyLead } from "../../../../core/model/leads.ts";
import { addSeconds } from "../../../../core/time.ts";
import type { issuedReader } from "../forecast/issued.ts";
import { eachRecord, timeAt } from "../record-rows.ts";
import type { PredictorSchema } from "../schema.ts";
import type { ReadSums } from "./stored-sums.ts";

type Database = Kysely<PredictorSchema>;
type Reader = ReturnType<typeof issuedReader>;

/** What a model said of a target from one origin, when it was first issued; times in epoch ms. */
type Said = { origin: number; issuedAt: number; stepMs: number; leads: number[] };
/** Of one sensor, by target and model, then by origin. */
type SaidOf = Map<string, Map<number, Said>>;

/** Moments in (after, upTo] of which fewer leads are scored than were issued before them, be it none. */
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
  const scored = Map.groupBy(scores, (one) => one.sensorId);
  const found = new Map<string, ScoredMoment>();
  for (const [sensorId, byKind] of said) {
    const known = new Map(
      scored.get(sensorId)?.map((one) => [`${one.target}\0${one.modelKey}\0${one.targetAt}`, one.sums[0]!]),
    );
    for (const [kind, byOrigin] of byKind) {
      const [target] = kind.split("\0") as [string];
      for (const [at, due] of dueOf(byOrigin.values(), after.getTime(), upTo.getTime()))
        if (due > (known.get(`${kind}\0${at}`) ?? 0))
          found.set(`${sensorId}\0${target}\0${at}`, { sensorId, target, targetAt: new Date(at) });
    }
  }
  return [...found.values()];
}

/** Of each moment (epoch ms) in (after, upTo] how many leads were issued before it. */
function dueOf(said: Iterable<Said>, after: number, upTo: number): Map<number, number> {
  const due = new Map<number, number>();
  for (const { origin, issuedAt, stepMs, leads } of said) {
    for (const lead of leads) {
      const at = origin + lead * stepMs;
      if (at > after && at <= upTo && issuedAt < at) due.set(at, (due.get(at) ?? 0) + 1);
    }
  }
  return due;
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
      const one = {
        origin: timeAt(bytes, origin!),
        issuedAt: timeAt(bytes, issuedAt!),
        stepMs: 1000 * stepSeconds,
        leads,
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
    const one = {
      origin: origin.getTime(),
      issuedAt: issuedAt.getTime(),
      stepMs: 1000 * steps,
      leads: everyLead(leads),
    };
    add(sensorId, `${target}\0${modelKey}`, one);
  }
}
