import type { SensorTarget } from "../../functions/api/contract/sensors.ts";

/** What the address of a new rule says of it already. */
export type Prefill = { sensorId: string | null; target: string | null; side: "above" | "below"; limit: string };

type Own = { low: number | null; high: number | null } | null;

/** Where a rule on this target begins: at the sensor's own limit, else at the most that its last day has reached. */
export function newRuleHref(sensorId: string, target: SensorTarget, own: Own): string {
  const side = own !== null && own.high === null && own.low !== null ? "below" : "above";
  const limit = (side === "below" ? own?.low : own?.high) ?? highest(target);
  const query = new URLSearchParams({ sensor: sensorId, target: target.target, side });
  if (limit !== null) query.set("limit", String(limit));
  return `/alerts/new?${query}`;
}

function highest({ history }: SensorTarget): number | null {
  const values = history.value.filter((value) => value !== null);
  return values.length === 0 ? null : Number(Math.max(...values).toPrecision(3));
}

export function readPrefill(query: URLSearchParams): Prefill {
  const limit = query.get("limit") ?? "";
  return {
    sensorId: query.get("sensor"),
    target: query.get("target"),
    side: query.get("side") === "below" ? "below" : "above",
    limit: limit !== "" && Number.isFinite(Number(limit)) ? limit : "",
  };
}
