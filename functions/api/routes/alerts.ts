import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { noSensor } from "../../../core/alert/rule.ts";
import type { Alert } from "../../../core/alert/store.ts";
import { AcknowledgeRequest, AlertPage, AlertResponse } from "../contract/alerts.ts";
import { Id } from "../contract/common.ts";
import { decodeCursor, pageOf } from "../cursor.ts";
import { Cursor, Limit, PathId } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { answers, jsonBody } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { addVerb } from "../verb.ts";

const tags = ["alerts"];
const Position = z.object({ alertId: z.int() });
const AlertParams = z.object({ id: PathId.openapi({ param: { name: "id", in: "path" }, description: "alertId" }) });

const listAlerts = createRoute({
  method: "get",
  path: "/v1/alerts",
  tags,
  summary: "What fires and what fired, newest first",
  request: {
    query: z.object({
      state: z.enum(["firing", "over", "all"]).default("all"),
      sensorId: Id.optional(),
      ruleId: Id.optional(),
      cursor: Cursor.optional(),
      limit: Limit(50, 200),
    }),
  },
  responses: answers(200, AlertPage, "A page of alerts"),
});

export function alertRoutes({ ports }: ApiServices): OpenAPIHono {
  const { rules } = ports;
  const app = new OpenAPIHono().openapi(listAlerts, async (c) => {
    const { state, sensorId = null, ruleId = null, cursor, limit } = c.req.valid("query");
    const before = cursor === undefined ? null : decodeCursor(Position, cursor).alertId;
    const isOpen = state === "all" ? null : state === "firing";
    const found = await rules.alerts({ limit: limit + 1, before, isOpen, sensorId, ruleId });
    const { items, nextCursor } = pageOf(found, limit, ({ alertId }) => ({ alertId }));
    return c.json({ items: items.map(toResponse), nextCursor }, 200);
  });
  addVerb(app, {
    path: "/v1/alerts/{id}",
    verb: "acknowledge",
    tags,
    summary: "Say that somebody has seen it, with a note",
    request: { params: AlertParams, body: jsonBody(AcknowledgeRequest) },
    responses: answers(200, AlertResponse, "The alert"),
    handle: async (c, id) => {
      const { note } = AcknowledgeRequest.parse(c.req.valid("json" as never));
      const alertId = /^\d{1,15}$/.test(id) ? Number(id) : null;
      const act = { by: c.get("actor").name, note, now: ports.clock.now() };
      const alert = alertId === null ? null : await rules.acknowledge(alertId, act);
      if (alert === null) throw refuse(404, { code: "notFound", detail: `alert ${id} does not exist` });
      return c.json(toResponse(alert), 200);
    },
  });
  return app;
}

function toResponse(alert: Alert): AlertResponse {
  return {
    ...alert,
    severity: alert.severity as AlertResponse["severity"],
    sensorId: alert.sensorId === noSensor ? null : alert.sensorId,
    firedAt: alert.firedAt.toISOString(),
    clearedAt: alert.clearedAt?.toISOString() ?? null,
    acknowledgedAt: alert.acknowledgedAt?.toISOString() ?? null,
  };
}
