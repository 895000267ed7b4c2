import * as z from "zod";

/** What a person may say of a stretch of a sensor's time. */
export const annotationKinds = ["outage", "moved", "calibrated", "open window", "event"] as const;
export const AnnotationKind = z.enum(annotationKinds);
export type AnnotationKind = z.infer<typeof AnnotationKind>;

/**
 * The kinds of which nothing is to be learnt: what was measured then was not what the sensor measures (it was out of
 * order, elsewhere, or in a calibration), or not as things use to be (the window stood open). An `event` is a note:
 * what happened is part of the sensor's life, and stays in.
 */
export const disturbingKinds: readonly AnnotationKind[] = ["outage", "moved", "calibrated", "open window"];

/** What a person says of a sensor's time in [from, to), to the end where `to` is null, of all targets or of one. */
export type Annotation = {
  annotationId: string;
  sensorId: string;
  target: string | null;
  kind: AnnotationKind;
  from: Date;
  to: Date | null;
  text: string;
  createdAt: Date;
  createdBy: string;
  /** Of the last change; the first time it was written counts as one. */
  changedAt: Date;
  changedBy: string;
  /** Taken back, and to be restored; null while it holds. */
  removedAt: Date | null;
};

/** What of an annotation a person decides; it stays a sensor's own. */
export type AnnotationBody = Pick<Annotation, "target" | "kind" | "from" | "to" | "text">;

/** What learning leaves out, and why: an annotation of a disturbing kind that holds. */
export type Disturbance = Pick<Annotation, "annotationId" | "target" | "kind" | "from" | "to">;

/** As a receipt names it; times are RFC 3339. */
export const LeftOut = z.object({
  annotationId: z.string().max(64),
  /** Null: all of them. */
  target: z.string().max(63).nullable(),
  kind: AnnotationKind,
  from: z.iso.datetime(),
  /** Exclusive; null: without an end. */
  to: z.iso.datetime().nullable(),
});
export type LeftOut = z.infer<typeof LeftOut>;

/** True where something is to be left out because of it. */
export function disturbs({ kind, removedAt }: Pick<Annotation, "kind" | "removedAt">): boolean {
  return removedAt === null && disturbingKinds.includes(kind);
}
