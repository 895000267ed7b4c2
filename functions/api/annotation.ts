import { type Annotation, type AnnotationBody, disturbs } from "../../core/annotation/annotation.ts";
import type { AnnotationChange as Changed } from "../../core/annotation/ports.ts";
import { secondsBetween } from "../../core/time.ts";
import type { AnnotationChange, AnnotationResponse } from "./contract/annotations.ts";
import { chooseTargets } from "./parameters.ts";
import { refuse } from "./problem.ts";
import type { ApiServices } from "./services.ts";

/** Whoever needs more of one sensor has another sensor. */
export const mostOfSensor = 1_000;

/** What the annotation would say after the change. */
export function merged({ target, kind, from, to, text }: Annotation, change: AnnotationChange): AnnotationBody {
  return {
    target: change.target === undefined ? target : change.target,
    kind: change.kind ?? kind,
    from: change.from === undefined ? from : new Date(change.from),
    to: change.to === undefined ? to : dateOf(change.to),
    text: change.text ?? text,
  };
}

/** A moment, or none. */
export function dateOf(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

/** Refuses with 422 a range that has no time in it, and a target that there is none of. */
export function checked(services: ApiServices, body: AnnotationBody): AnnotationBody {
  if (body.target !== null) chooseTargets(services, body.target);
  if (body.to !== null) requireRange(body.from, body.to);
  return body;
}

/** Refuses with 422 a range that has no time in it. */
export function requireRange(from: Date, to: Date): void {
  const seconds = secondsBetween(from, to);
  if (seconds > 0) return;
  const message = `${to.toISOString()} is not after from, ${from.toISOString()}: [from, to) would last ${seconds} s; leave \`to\` out for a stretch without an end`;
  throw refuse(422, {
    code: "badInput",
    detail: `to: ${message}`,
    have: seconds,
    need: 1,
    errors: [{ path: "to", message }],
  });
}

/** The annotation, also where it was taken back; 404 where there is none. */
export async function loadAnnotation({ ports }: ApiServices, annotationId: string): Promise<Annotation> {
  const annotation = await ports.annotations.get(annotationId);
  if (annotation === null) throw unknown(annotationId);
  return annotation;
}

/** The annotation after a change; a problem where it could not be changed. */
export function settled(annotationId: string, change: Changed): AnnotationResponse {
  if (change.ok) return toResponse(change.annotation);
  if (change.reason === "unknown") throw unknown(annotationId);
  const why =
    change.reason === "removed"
      ? "was taken back; restore it before it is changed"
      : "would say the same as another one of this sensor that holds; take one of them back";
  throw refuse(409, { code: "conflict", detail: `annotation ${annotationId} ${why}` });
}

function unknown(annotationId: string) {
  const detail = `annotation ${annotationId} does not exist; /v1/annotations lists them`;
  return refuse(404, { code: "notFound", detail });
}

/** The refusal of one more than there may be. */
export function tooMany(sensorId: string) {
  const detail = `sensor ${sensorId} has ${mostOfSensor} annotations that hold, the most there can be; take old ones back`;
  return refuse(409, { code: "conflict", detail, have: mostOfSensor, need: mostOfSensor });
}

/** The annotation as the API tells it. */
export function toResponse(annotation: Annotation): AnnotationResponse {
  const iso = (at: Date | null) => at?.toISOString() ?? null;
  return {
    ...annotation,
    disturbs: disturbs(annotation),
    from: annotation.from.toISOString(),
    to: iso(annotation.to),
    createdAt: annotation.createdAt.toISOString(),
    changedAt: annotation.changedAt.toISOString(),
    removedAt: iso(annotation.removedAt),
  };
}
