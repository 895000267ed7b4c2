import { z } from "@hono/zod-openapi";
import { annotationKinds } from "../../../core/annotation/annotation.ts";
import { Id, page, Text, time } from "./common.ts";

/** The shapes of what people say of a stretch of a sensor's time. */
const Time = z.iso
  .datetime({ offset: true, error: "must be a time such as 2026-05-01T12:00:00Z" })
  .openapi({ format: "date-time", example: "2026-05-01T12:00:00Z" });
const Kind = z.enum(annotationKinds).openapi("AnnotationKind", {
  description:
    "`outage`, `moved`, `calibrated` and `open window` disturb: the stretch is left out of training, profiles, scoring, drift and rehearsal. `event` is a note, and nothing is left out",
});
const Words = Text(1_000).trim().min(1);

export const AnnotationRequest = z
  .strictObject({
    sensorId: Id,
    target: z.string().max(63).nullable().default(null),
    kind: Kind,
    from: Time,
    to: Time.nullable().default(null),
    text: Words,
  })
  .openapi("AnnotationRequest", {
    description: "[from, to), without an end where `to` is null; of all targets where `target` is null",
  });

export const AnnotationChange = z
  .strictObject({
    target: z.string().max(63).nullable().optional(),
    kind: Kind.optional(),
    from: Time.optional(),
    to: Time.nullable().optional(),
    text: Words.optional(),
  })
  .openapi("AnnotationChange", { description: "What is left out stays" });
export type AnnotationChange = z.infer<typeof AnnotationChange>;

export const AnnotationResponse = z
  .object({
    annotationId: z.string(),
    sensorId: z.string(),
    target: z.string().nullable(),
    kind: Kind,
    /** Whether it is left out of what is learnt and judged. */
    disturbs: z.boolean(),
    from: time,
    to: time.nullable(),
    text: z.string(),
    createdAt: time,
    createdBy: z.string(),
    changedAt: time,
    changedBy: z.string(),
    /** Taken back; `:restore` lets it hold again. */
    removedAt: time.nullable(),
  })
  .openapi("Annotation");
export type AnnotationResponse = z.infer<typeof AnnotationResponse>;
export const AnnotationPage = page(AnnotationResponse).openapi("AnnotationPage");
export type AnnotationPage = z.infer<typeof AnnotationPage>;

export const LeftOut = z
  .object({
    annotationId: z.string(),
    target: z.string().nullable(),
    kind: Kind,
    from: time,
    to: time.nullable(),
  })
  .openapi("LeftOut", {
    description: "What an annotation leaves out: [from, to), of all targets where `target` is null",
  });
export type LeftOut = z.infer<typeof LeftOut>;
