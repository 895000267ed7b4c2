import { type RawBuilder, sql } from "kysely";
import { disturbingKinds } from "../../../../core/annotation/annotation.ts";

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
