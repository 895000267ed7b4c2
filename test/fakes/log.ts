import type { Log } from "../../core/ports.ts";

type Line = { level: "info" | "warn" | "error"; event: string; fields: Record<string, unknown> };

/** Keeps the lines for a test to look at. */
export function quietLog(): Log & { lines: Line[] } {
  const lines: Line[] = [];
  const at =
    (level: Line["level"]) =>
    (event: string, fields: Record<string, unknown> = {}) =>
      void lines.push({ level, event, fields });
  return { lines, info: at("info"), warn: at("warn"), error: at("error") };
}
