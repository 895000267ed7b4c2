import { type Kysely, type RawBuilder, sql } from "kysely";
import { disturbingKinds } from "../../../../core/annotation/annotation.ts";
import type { PredictorSchema } from "../schema.ts";

/** True for an annotation of which nothing is to be learnt. */
export function isDisturbing(annotation: string): RawBuilder<boolean> {
  const column = (name: string) => sql.ref(`${annotation}.${name}`);
  return sql<boolean>`(${column("removed_at")} is null and ${column("kind")} = any(${[...disturbingKinds]}::text[]))`;
}

/**
 * True for a row of `score` that nothing is left out of: the rule of core/annotation/left-out.ts as SQL. Every sum and
 * mean over scores asks it; the scores themselves stay as they are.
 */
export function counts(score: string): RawBuilder<boolean> {
  const column = (name: string) => sql.ref(`${score}.${name}`);
  return sql<boolean>`not exists (
    select from annotation as note where note.sensor_id = ${column("sensor_id")} and ${isDisturbing("note")}
      and (note.target is null or note.target = ${column("target")}) and ${column("target_at")} >= note.from_at
      and (note.through_at is null or ${column("target_at")} <= note.through_at))`;
}

/** A score's place; `targetAt` in epoch ms. */
type Place = { sensorId: string; target: string; targetAt: number };

/** The same rule for the scores of these sensors, once they are read. */
export async function leftOutReader(
  db: Kysely<PredictorSchema>,
  sensorIds: string[],
): Promise<(score: Place) => boolean> {
  const { rows } = await sql<{ sensorId: string; target: string | null; from: Date; through: Date | null }>`
    select note.sensor_id as "sensorId", note.target, note.from_at as "from", note.through_at as through
    from annotation as note where note.sensor_id = any(${sensorIds}::text[]) and ${isDisturbing("note")}`.execute(db);
  const bySensor = Map.groupBy(rows, (note) => note.sensorId);
  return ({ sensorId, target, targetAt }) =>
    bySensor
      .get(sensorId)
      ?.some(
        (note) =>
          (note.target === null || note.target === target) &&
          targetAt >= note.from.getTime() &&
          (note.through === null || targetAt <= note.through.getTime()),
      ) ?? false;
}
