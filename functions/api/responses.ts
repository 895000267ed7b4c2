import type { z } from "@hono/zod-openapi";
import { Problem } from "./contract/common.ts";

/** The responses of a route for its OpenAPI entry: one success, and a problem for everything else. */
export function answers<Status extends 200 | 201 | 202, Schema extends z.ZodType>(
  status: Status,
  schema: Schema,
  description: string,
) {
  const success = { description, content: { "application/json": { schema } } };
  return { [status]: success, ...problems } as { [Key in Status]: typeof success } & typeof problems;
}

/** What every route may answer instead: 4xx when the request cannot be served, 5xx when we cannot serve it now. */
export const problems = {
  default: {
    description: "A problem (RFC 9457)",
    content: { "application/problem+json": { schema: Problem } },
  },
} as const;

/** A JSON body that must be there. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } } as const;
}
