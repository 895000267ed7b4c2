import { type Kysely, type Selectable, sql, type Transaction } from "kysely";
import {
  type Annotation,
  type AnnotationBody,
  AnnotationKind,
  type Disturbance,
  disturbs,
} from "../../../../core/annotation/annotation.ts";
import { lastPointOf } from "../../../../core/annotation/left-out.ts";
import type { AnnotationChange, Annotations, ChangedSensor } from "../../../../core/annotation/ports.ts";
import { moveRevision } from "../revision.ts";
import type { PredictorSchema } from "../schema.ts";
import { isDisturbing } from "./left-out.ts";

type Database = Kysely<PredictorSchema>;
type Change = (before: Annotation) => Annotation | null;

/** What people say of sensors' time, in the predictor database. A change and what is to be done anew are one. */
export function postgresAnnotations(db: Database): Annotations {
  async function change(annotationId: string, stepSeconds: number, changed: Change): Promise<AnnotationChange> {
    const done = await db.transaction().execute(async (transaction): Promise<AnnotationChange> => {
      const row = await transaction
        .selectFrom("annotation")
        .selectAll()
        .where("annotation_id", "=", annotationId)
        .forUpdate()
        .executeTakeFirst();
      if (row === undefined) return { ok: false, reason: "unknown" };
      const before = toAnnotation(row);
      const annotation = changed(before);
      if (annotation === null) return { ok: false, reason: "removed" };
      if (annotation === before) return { ok: true, annotation };
      if (annotation.removedAt === null && (await findSame(transaction, annotation)) !== null) {
        return { ok: false, reason: "doubled" };
      }
      const { annotation_id: id, ...values } = toRow(annotation, stepSeconds);
      await transaction.updateTable("annotation").set(values).where("annotation_id", "=", id).execute();
      await askAnew(transaction, [before, annotation]);
      return { ok: true, annotation };
    });
    if (done.ok) await moveRevision(db);
    return done;
  }

  return {
    async list({ sensorId, kind, from, to, withRemoved, limit, after }) {
      let found = db
        .selectFrom("annotation")
        .selectAll()
        .orderBy("from_at", "desc")
        .orderBy("annotation_id")
        .limit(limit);
      if (sensorId !== null) found = found.where("sensor_id", "=", sensorId);
      if (kind !== null) found = found.where("kind", "=", kind);
      if (from !== null) found = found.where(sql<boolean>`(to_at is null or to_at > ${from})`);
      if (to !== null) found = found.where("from_at", "<", to);
      if (!withRemoved) found = found.where("removed_at", "is", null);
      if (after !== null) {
        const { from: at, annotationId } = after;
        found = found.where(sql<boolean>`(from_at < ${at} or (from_at = ${at} and annotation_id > ${annotationId}))`);
      }
      return (await found.execute()).map(toAnnotation);
    },

    async get(annotationId) {
      const found = db.selectFrom("annotation").selectAll().where("annotation_id", "=", annotationId);
      const row = await found.executeTakeFirst();
      return row === undefined ? null : toAnnotation(row);
    },

    async count(sensorId) {
      const { rows } = await sql<{ n: number }>`
        select count(*)::int as n from annotation where sensor_id = ${sensorId} and removed_at is null`.execute(db);
      return rows[0]?.n ?? 0;
    },

    async add(annotation, stepSeconds) {
      const isNew = await db.transaction().execute(async (transaction) => {
        const added = await transaction
          .insertInto("annotation")
          .values(toRow(annotation, stepSeconds))
          .onConflict((conflict) => conflict.doNothing())
          .returning("annotation_id")
          .executeTakeFirst();
        if (added !== undefined) await askAnew(transaction, [annotation]);
        return added !== undefined;
      });
      if (isNew) await moveRevision(db);
      const same = isNew ? annotation : await findSame(db, { ...annotation, annotationId: "" });
      return { annotation: same ?? annotation, isNew };
    },

    change: (annotationId, body, { by, now, stepSeconds }) =>
      change(annotationId, stepSeconds, (before) => {
        if (before.removedAt !== null) return null;
        return isSame(before, body) ? before : { ...before, ...body, changedAt: now, changedBy: by };
      }),

    remove: (annotationId, { by, now, stepSeconds }) =>
      change(annotationId, stepSeconds, (before) =>
        before.removedAt === null ? { ...before, removedAt: now, changedAt: now, changedBy: by } : before,
      ),

    restore: (annotationId, { by, now, stepSeconds }) =>
      change(annotationId, stepSeconds, (before) =>
        before.removedAt === null ? before : { ...before, removedAt: null, changedAt: now, changedBy: by },
      ),

    async disturbing(sensorIds, after, upTo) {
      const { rows } = await sql<Disturbance & { sensorId: string }>`
        select sensor_id as "sensorId", annotation_id as "annotationId", target, kind, from_at as "from", to_at as "to"
        from annotation a
        where sensor_id = any(${sensorIds}::text[]) and ${isDisturbing("a")} and from_at <= ${upTo}
          and (through_at is null or through_at > ${after})
        order by from_at, annotation_id`.execute(db);
      const found = new Map<string, Disturbance[]>();
      for (const { sensorId, ...one } of rows) found.set(sensorId, [...(found.get(sensorId) ?? []), one]);
      return found;
    },

    async unlearnt(sensorIds) {
      const { rows } = await sql<ChangedSensor>`
        select anew_id::text as "changeId", sensor_id as "sensorId", from_at as "from", to_at as "to"
        from annotation_anew where task = 'learn' and sensor_id = any(${sensorIds}::text[])
        order by anew_id`.execute(db);
      return rows;
    },

    async learnt(changeIds) {
      if (changeIds.length === 0) return;
      await sql`delete from annotation_anew where anew_id = any(${changeIds}::bigint[])`.execute(db);
    },
  };
}

/** Asks for everything to be learnt and summed anew that was, or is now, to be left out. */
async function askAnew(transaction: Transaction<PredictorSchema>, states: Annotation[]): Promise<void> {
  const disturbing = states.filter(disturbs);
  const rows = disturbing.flatMap(({ sensorId, from, to }) =>
    (["learn", "sum"] as const).map((task) => ({ task, sensor_id: sensorId, from_at: from, to_at: to })),
  );
  if (rows.length > 0) await transaction.insertInto("annotation_anew").values(rows).execute();
}

/** Another one that holds and says the very same; null where there is none. */
async function findSame(db: Database, { annotationId, sensorId, ...said }: Annotation): Promise<Annotation | null> {
  const row = await db
    .selectFrom("annotation")
    .selectAll()
    .where("sensor_id", "=", sensorId)
    .where("annotation_id", "<>", annotationId)
    .where("removed_at", "is", null)
    .where("kind", "=", said.kind)
    .where("from_at", "=", said.from)
    .where("text", "=", said.text)
    .where(sql<boolean>`(target, to_at) is not distinct from (${said.target}::text, ${said.to}::timestamptz)`)
    .executeTakeFirst();
  return row === undefined ? null : toAnnotation(row);
}

function isSame(before: Annotation, body: AnnotationBody): boolean {
  const textOf = ({ target, kind, from, to, text }: AnnotationBody) => JSON.stringify([target, kind, from, to, text]);
  return textOf(before) === textOf(body);
}

function toRow(annotation: Annotation, stepSeconds: number) {
  const { annotationId, sensorId, target, kind, from, to, text } = annotation;
  return {
    ...{ annotation_id: annotationId, sensor_id: sensorId, target, kind, from_at: from, to_at: to, text },
    through_at: to && lastPointOf(to, stepSeconds),
    ...{ created_at: annotation.createdAt, created_by: annotation.createdBy },
    ...{ changed_at: annotation.changedAt, changed_by: annotation.changedBy, removed_at: annotation.removedAt },
  };
}

function toAnnotation(row: Selectable<PredictorSchema["annotation"]>): Annotation {
  return {
    ...{ annotationId: row.annotation_id, sensorId: row.sensor_id, target: row.target, text: row.text },
    ...{ kind: AnnotationKind.parse(row.kind), from: row.from_at, to: row.to_at },
    ...{ createdAt: row.created_at, createdBy: row.created_by },
    ...{ changedAt: row.changed_at, changedBy: row.changed_by, removedAt: row.removed_at },
  };
}
