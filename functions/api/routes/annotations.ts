import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { type Annotation, type AnnotationBody, AnnotationKind, disturbs } from "../../../core/annotation/annotation.ts";
import type { AnnotationChange as Changed } from "../../../core/annotation/ports.ts";
import { secondsBetween } from "../../../core/time.ts";
import { AnnotationChange, AnnotationPage, AnnotationRequest, AnnotationResponse } from "../contract/annotations.ts";
import { Id } from "../contract/common.ts";
import { decodeCursor, pageOf } from "../cursor.ts";
import { requireSensor } from "../known.ts";
import { newId } from "../new-id.ts";
import { Cursor, chooseTargets, Limit, PathId, Time } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { answers, jsonBody } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { addVerb } from "../verb.ts";

const tags = ["annotations"];
const AnnotationParams = z.object({
  id: PathId.openapi({ param: { name: "id", in: "path" }, description: "annotationId" }),
});
const Position = z.object({ from: z.iso.datetime(), annotationId: z.string() });
/** Whoever needs more of one sensor has another sensor. */
const mostOfSensor = 1_000;

const listAnnotations = createRoute({
  method: "get",
  path: "/v1/annotations",
  tags,
  summary: "What people say of stretches of sensors' time, newest beginning first",
  request: {
    query: z.object({
      sensorId: Id.optional(),
      kind: AnnotationKind.optional(),
      from: Time.optional().openapi({ description: "Those that touch [from, to)" }),
      to: Time.optional(),
      removed: z.enum(["true", "false"]).default("false").openapi({ description: "With those that were taken back" }),
      cursor: Cursor.optional(),
      limit: Limit(50, 200),
    }),
  },
  responses: answers(200, AnnotationPage, "A page of annotations"),
});

const getAnnotation = createRoute({
  method: "get",
  path: "/v1/annotations/{id}",
  tags,
  summary: "One annotation, also where it was taken back",
  request: { params: AnnotationParams },
  responses: answers(200, AnnotationResponse, "The annotation"),
});

const makeAnnotation = createRoute({
  method: "post",
  path: "/v1/annotations",
  tags,
  summary: "Mark a stretch of a sensor's time",
  description: "Asking again in the same words makes no second one: the answer is 200 with the one there is.",
  request: { body: jsonBody(AnnotationRequest) },
  responses: {
    ...answers(200, AnnotationResponse, "The one that says so already"),
    ...answers(201, AnnotationResponse, "The annotation; what it leaves out is left out from the next pass on"),
  },
});

const patchAnnotation = createRoute({
  method: "patch",
  path: "/v1/annotations/{id}",
  tags,
  summary: "Change an annotation; it stays its sensor's",
  request: { params: AnnotationParams, body: jsonBody(AnnotationChange) },
  responses: answers(200, AnnotationResponse, "The annotation as it is now"),
});

const deleteAnnotation = createRoute({
  method: "delete",
  path: "/v1/annotations/{id}",
  tags,
  summary: "Take an annotation back: what it left out is in again from the next pass on",
  request: { params: AnnotationParams },
  responses: answers(200, AnnotationResponse, "The annotation, which `:restore` brings back"),
});

export function annotationRoutes(services: ApiServices): OpenAPIHono {
  const { ports, settings } = services;
  const { annotations } = ports;
  const act = (by: string) => ({ by, now: ports.clock.now(), stepSeconds: settings.stepSeconds });

  const app = new OpenAPIHono()
    .openapi(listAnnotations, async (c) => {
      const { sensorId = null, kind = null, from = null, to = null, removed, cursor, limit } = c.req.valid("query");
      if (from !== null && to !== null) requireRange(from, to);
      const at = cursor === undefined ? null : decodeCursor(Position, cursor);
      const after = at && { ...at, from: new Date(at.from) };
      const query = { sensorId, kind, from, to, withRemoved: removed === "true", limit: limit + 1, after };
      const position = ({ from: begins, annotationId }: Annotation) => ({ from: begins.toISOString(), annotationId });
      const { items, nextCursor } = pageOf(await annotations.list(query), limit, position);
      return c.json({ items: items.map(toResponse), nextCursor }, 200);
    })
    .openapi(getAnnotation, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(toResponse(await load(services, id)), 200);
    })
    .openapi(makeAnnotation, async (c) => {
      const { sensorId, ...given } = c.req.valid("json");
      const { by, now, stepSeconds } = act(c.get("actor").name);
      await requireSensor(services, sensorId);
      const body = checked(services, { ...given, from: new Date(given.from), to: dateOf(given.to) });
      if ((await annotations.count(sensorId)) >= mostOfSensor) throw tooMany(sensorId);
      const made = { createdAt: now, createdBy: by, changedAt: now, changedBy: by, removedAt: null };
      const { annotation, isNew } = await annotations.add(
        { annotationId: newId("note"), sensorId, ...body, ...made },
        stepSeconds,
      );
      c.set("object", `annotations/${annotation.annotationId}`);
      return isNew ? c.json(toResponse(annotation), 201) : c.json(toResponse(annotation), 200);
    })
    .openapi(patchAnnotation, async (c) => {
      const { id } = c.req.valid("param");
      const body = checked(services, merged(await load(services, id), c.req.valid("json")));
      return c.json(settled(id, await annotations.change(id, body, act(c.get("actor").name))), 200);
    })
    .openapi(deleteAnnotation, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(settled(id, await annotations.remove(id, act(c.get("actor").name))), 200);
    });
  addVerb(app, {
    path: "/v1/annotations/{id}",
    verb: "restore",
    tags,
    summary: "Let an annotation hold again that was taken back",
    request: { params: AnnotationParams },
    responses: answers(200, AnnotationResponse, "The annotation as it is now"),
    handle: async (c, id) => c.json(settled(id, await annotations.restore(id, act(c.get("actor").name))), 200),
  });
  return app;
}

function merged({ target, kind, from, to, text }: Annotation, change: AnnotationChange): AnnotationBody {
  return {
    target: change.target === undefined ? target : change.target,
    kind: change.kind ?? kind,
    from: change.from === undefined ? from : new Date(change.from),
    to: change.to === undefined ? to : dateOf(change.to),
    text: change.text ?? text,
  };
}

function dateOf(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

/** Refuses with 422 a range that has no time in it, and a target that there is none of. */
function checked(services: ApiServices, body: AnnotationBody): AnnotationBody {
  if (body.target !== null) chooseTargets(services, body.target);
  if (body.to !== null) requireRange(body.from, body.to);
  return body;
}

function requireRange(from: Date, to: Date): void {
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

async function load({ ports }: ApiServices, annotationId: string): Promise<Annotation> {
  const annotation = await ports.annotations.get(annotationId);
  if (annotation === null) throw unknown(annotationId);
  return annotation;
}

/** The annotation after a change; a problem where it could not be changed. */
function settled(annotationId: string, change: Changed): AnnotationResponse {
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

function tooMany(sensorId: string) {
  const detail = `sensor ${sensorId} has ${mostOfSensor} annotations that hold, the most there can be; take old ones back`;
  return refuse(409, { code: "conflict", detail, have: mostOfSensor, need: mostOfSensor });
}

function toResponse(annotation: Annotation): AnnotationResponse {
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
