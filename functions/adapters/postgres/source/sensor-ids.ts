import type { SensorType } from "./source-catalog.ts";

const bounds: Partial<Record<SensorType, bigint>> = { smallint: 1n << 15n, integer: 1n << 31n, bigint: 1n << 63n };

/**
 * The ids that a column of `type` could hold, written as it writes them. The others ("7a" for an integer, an id with a
 * NUL character) have no readings, and must not end the query for the rest of the shard.
 */
export function fittingIds(sensorIds: readonly string[], type: SensorType): string[] {
  return [...new Set(sensorIds)].filter((id) => fits(id, type));
}

function fits(id: string, type: SensorType): boolean {
  const bound = bounds[type];
  if (bound !== undefined) return /^(0|-?[1-9]\d{0,18})$/.test(id) && BigInt(id) < bound && BigInt(id) >= -bound;
  if (type === "uuid") return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
  return id.isWellFormed() && !id.includes("\0") && (type !== "bpchar" || !id.endsWith(" "));
}

/** True for what a message can carry: 1 to 256 characters. */
export function isUsableId(id: string): boolean {
  return id.length >= 1 && id.length <= 256;
}
