import type { Sensor } from "../client/client.ts";

/** How many sensors one chart tells apart. */
export const mostCompared = 5;

/** The lines of one target on one ascending axis (epoch milliseconds): what was read, then the median ahead. */
export type Compared = {
  at: number[];
  lines: { sensorId: string; name: string; values: (number | null)[] }[];
  /** Index of the last moment that any of them was read at; null before the first. */
  nowIndex: number | null;
  unit: string;
};

/** Sensors without the target have a line without values. Pure. */
export function compare(sensors: Sensor[], target: string): Compared {
  const found = sensors.map((sensor) => {
    const own = sensor.targets.find((one) => one.target === target);
    const values = new Map<number, number | null>();
    own?.forecast?.targetAt.forEach((at, i) => {
      values.set(Date.parse(at), own.forecast?.q50[i] ?? null);
    });
    // What was read counts before what was forecast of it.
    own?.history.at.forEach((at, i) => {
      const value = own.history.value[i] ?? null;
      if (value !== null || !values.has(Date.parse(at))) values.set(Date.parse(at), value);
    });
    const newest = own?.history.at.at(-1);
    const forecast = own?.forecast ?? null;
    const ahead = forecast?.targetAt.map((at, i) => ({ at: Date.parse(at), value: forecast.q50[i] ?? null })) ?? [];
    return { sensor, values, ahead, unit: own?.unit ?? "", newest: newest === undefined ? null : Date.parse(newest) };
  });
  const at = unionOf(found.map(({ values }) => values));
  const newest = found.reduce<number | null>((most, one) => Math.max(most ?? 0, one.newest ?? 0) || null, null);
  return {
    at,
    lines: found.map(({ sensor, values, ahead }) => ({
      ...{ sensorId: sensor.sensorId, name: sensor.profile.name ?? sensor.sensorId },
      values: at.map((one) => values.get(one) ?? between(ahead, one)),
    })),
    nowIndex: newest === null ? null : at.findLastIndex((one) => one <= newest),
    unit: found.find(({ unit }) => unit !== "")?.unit ?? "",
  };
}

function unionOf(columns: Map<number, unknown>[]): number[] {
  return [...new Set(columns.flatMap((column) => [...column.keys()]))].sort((a, b) => a - b);
}

/** A median between two leads, where another sensor has one: on the straight line that is drawn anyway. Else null. */
function between(ahead: { at: number; value: number | null }[], at: number): number | null {
  const after = ahead.findIndex((one) => one.at > at);
  const [left, right] = [ahead[after - 1], ahead[after]];
  if (left?.value == null || right?.value == null) return null;
  return left.value + ((right.value - left.value) * (at - left.at)) / (right.at - left.at);
}

/** The sensors that a query names, each once, five at most. */
export function chosenIn(query: URLSearchParams): string[] {
  return [...new Set(query.getAll("sensor"))].filter((id) => id !== "").slice(0, mostCompared);
}

export function compareHref(sensorIds: string[], target: string | null): string {
  const query = new URLSearchParams();
  for (const id of sensorIds) query.append("sensor", id);
  if (target !== null) query.set("target", target);
  return `/compare${query.size === 0 ? "" : `?${query}`}`;
}
