import { z } from "@hono/zod-openapi";

/**
 * What the API's shapes are made of. zod is the contract, OpenAPI and the dashboard's types are made from it; a file
 * here is a noun of it.
 */

/** A moment: RFC 3339, UTC. */
export const time = z.iso.datetime().openapi({ example: "2016-05-01T12:00:00.000Z" });

/** Values in step with the times beside them; null where there is none. */
export const column = z.array(z.number().nullable());

const values = z.array(z.number());

/** A forecast's quantiles, each in step with its leads. */
export const quantiles = { q10: values, q50: values, q90: values };

/** How many steps ahead the elements of the columns lie; ascending. */
export const leads = z.array(z.int().positive());

/**
 * `schema` or null. A named shape's own `.nullable()` would be documented as the shape, which then were null
 * everywhere.
 */
export const orNull = <T extends z.ZodType>(schema: T) => z.union([schema, z.null()]);

/** Any text that Postgres can hold. */
export const Text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((text) => text.isWellFormed() && !text.includes("\0"), "must be well-formed text without NUL");

/** A sensor's or model's id. */
export const Id = Text(256).min(1);

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    /** The same id as in the log line and the X-Request-Id header. */
    requestId: z.string().optional(),
    have: z.number().optional(),
    need: z.number().optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi("Problem");
export type Problem = z.infer<typeof Problem>;

/** A page of a list; `nextCursor` asks for the one behind it. */
export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });
