import type { z } from "zod";
import { refuse } from "./problem.ts";

/** An opaque cursor: where the next page begins. */
export function encodeCursor(position: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** The position that `encodeCursor` was given; whatever else a client sends is refused with 422. */
export function decodeCursor<T extends z.ZodType>(schema: T, cursor: string): z.infer<T> {
  let position: unknown;
  try {
    position = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    throw unknownCursor();
  }
  const parsed = schema.safeParse(position);
  if (!parsed.success) throw unknownCursor();
  return parsed.data;
}

/** The first `limit` of what was found where one more was asked for; `nextCursor` begins behind the last of them. */
export function pageOf<T>(found: T[], limit: number, positionOf: (last: T) => Record<string, unknown>) {
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return { items, nextCursor: last === undefined ? null : encodeCursor(positionOf(last)) };
}

function unknownCursor() {
  const message = "not a cursor of this list; leave it out to begin with the first page";
  return refuse(422, { code: "badInput", detail: `cursor: ${message}`, errors: [{ path: "cursor", message }] });
}
