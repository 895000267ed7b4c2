import { z } from "@hono/zod-openapi";
import { groupPath } from "../../core/forecast/profile.ts";
import { integerText } from "../config/number.ts";
import { Id, Text } from "./contract/common.ts";
import { refuse } from "./problem.ts";
import type { ApiServices } from "./services.ts";

/**
 * An id as a path's segment. The ids `.` and `..` cannot stand there, however they are escaped: every client takes such
 * a segment away. They are written `~.` and `~..`, and an id that looks like that gets one more `~`.
 */
export const PathId = Id.transform(fromSegment);

/** The id that a decoded segment stands for: "~.." -> "..", "~~." -> "~.", and everything else as it is. */
export function fromSegment(segment: string): string {
  return /^~+\.{1,2}$/.test(segment) ? segment.slice(1) : segment;
}

export const SensorParams = z.object({
  id: PathId.openapi({
    param: { name: "id", in: "path" },
    example: "living-room",
    description: "sensorId; `.` and `..` are written `~.` and `~..`",
  }),
});

/** A group's path, "site/building/room". */
export const GroupPath = Text(200)
  .transform((text, context) => {
    const path = groupPath(text);
    if (path !== null) return path;
    context.addIssue({ code: "custom", message: "must be a path such as site/building/room, without empty parts" });
    return z.NEVER;
  })
  .openapi({ type: "string", example: "north/attic" });

/** RFC 3339 with any offset; write `+` as `%2B` in a query. */
export const Time = z.iso
  .datetime({ offset: true, error: "must be a time such as 2016-05-01T12:00:00Z" })
  .transform((text) => new Date(text))
  .openapi({ type: "string", format: "date-time", example: "2016-05-01T12:00:00Z" });

export const Cursor = z.string().max(1024).openapi({ description: "nextCursor of the page before" });

export const Limit = (fallback: number, most: number) =>
  integerText(1, most).default(fallback).openapi({ type: "integer", minimum: 1, maximum: most });

export const Format = z.enum(["json", "csv"]).openapi({ description: "Overrules the Accept header" });

/** True when the client asks for CSV, by `format` or else by the Accept header. */
export function wantsCsv(format: "json" | "csv" | undefined, accept: string | undefined): boolean {
  return format === undefined ? /\btext\/csv\b/i.test(accept ?? "") : format === "csv";
}

/** Refuses with 422 a range that is empty or has more than `most` points of `stepSeconds`. */
export function checkRange(from: Date, to: Date, stepSeconds: number, most: number): void {
  const points = (to.getTime() - from.getTime()) / 1000 / stepSeconds;
  if (points > 0 && points <= most) return;
  const message =
    points > 0
      ? `[from, to) has ${Math.ceil(points)} points of ${stepSeconds} s, at most ${most} are given at a time`
      : "to must be after from";
  throw refuse(422, { code: "badInput", detail: message, errors: [{ path: "to", message }] });
}

/** The target that is asked for, or all; refuses with 422 one that there is none of. */
export function chooseTargets({ settings }: Pick<ApiServices, "settings">, target: string | undefined): string[] {
  const names = settings.targets.map(({ name }) => name);
  if (target === undefined) return names;
  if (names.includes(target)) return [target];
  const message = `${target} is not forecast here; ${names.join(", ")} are`;
  throw refuse(422, { code: "badInput", detail: `target: ${message}`, errors: [{ path: "target", message }] });
}
