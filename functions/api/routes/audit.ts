import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { AuditPage } from "../contract/access.ts";
import { decodeCursor, pageOf } from "../cursor.ts";
import { Cursor, Limit } from "../parameters.ts";
import { answers } from "../responses.ts";
import type { ApiServices } from "../services.ts";

const listAudit = createRoute({
  method: "get",
  path: "/v1/audit",
  tags: ["access"],
  summary: "Who did what, newest first; kept for a year",
  request: { query: z.object({ cursor: Cursor.optional(), limit: Limit(50, 200) }) },
  responses: answers(200, AuditPage, "A page of entries"),
});

const Position = z.object({ before: z.int().min(0).max(Number.MAX_SAFE_INTEGER) });

export function auditRoutes({ access }: ApiServices): OpenAPIHono {
  return new OpenAPIHono().openapi(listAudit, async (c) => {
    const { cursor, limit } = c.req.valid("query");
    const before = cursor === undefined ? null : decodeCursor(Position, cursor).before;
    const entries = await access.audit.list({ limit: limit + 1, before });
    const { items, nextCursor } = pageOf(entries, limit, ({ auditId }) => ({ before: auditId }));
    return c.json({ items: items.map((entry) => ({ ...entry, at: entry.at.toISOString() })), nextCursor }, 200);
  });
}
