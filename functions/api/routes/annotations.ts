import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { type Annotation, AnnotationKind } from "../../../core/annotation/annotation.ts";
import {
  checked,
  dateOf,
  loadAnnotation,
  merged,
  mostOfSensor,
  requireRange,
  settled,
  tooMany,
  toResponse,
} from "../annotation.ts";
import { AnnotationChange, AnnotationPage, AnnotationRequest, AnnotationResponse } from "../contract/annotations.ts";
import { Id } from "../contract/common.ts";
import { decodeCursor, pageOf } from "../cursor.ts";
import { requireSensor } from "../known.ts";
import { newId } from "../new-id.ts";
import { Cursor, Limit, PathId, Time } from "../parameters.ts";
import { answers, jsonBody } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { addVerb } from "../verb.ts";

const tags = ["annotations"];
const AnnotationParams = z.object({
  id: PathId.openapi({ param: { name: "id", in: "path" }, description: "annotationId" }),
});
const Position = z.object({ from: z.iso.datetime(), annotationId: z.string() });

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
      return c.json(toResponse(await loadAnnotation(services, id)), 200);
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
      const body = checked(services, merged(await loadAnnotation(services, id), c.req.valid("json")));
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
