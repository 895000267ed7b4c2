import { guardFormula } from "../../core/formula.ts";
import type { Sensor } from "../client/client.ts";

/**
 * What is compared of a target as CSV (RFC 4180): of each sensor what was read and the medians ahead, at their own
 * moments; what the chart draws between two leads is left out.
 */
export function compareToCsv(sensors: Sensor[], target: string): string {
  const columns = sensors.flatMap(({ sensorId, targets }) => {
    const own = targets.find((one) => one.target === target);
    const observed = columnOf(own?.history.at ?? [], own?.history.value ?? []);
    const ahead = columnOf(own?.forecast?.targetAt ?? [], own?.forecast?.q50 ?? []);
    return [
      { name: `${sensorId} observed`, values: observed },
      { name: `${sensorId} q50`, values: ahead },
    ];
  });
  const at = [...new Set(columns.flatMap(({ values }) => [...values.keys()]))].sort((a, b) => a - b);
  const rows = at.map((one) => [new Date(one).toISOString(), ...columns.map(({ values }) => values.get(one) ?? "")]);
  return [["at", ...columns.map(({ name }) => quoted(guardFormula(name)))], ...rows]
    .map((row) => `${row.join(",")}\r\n`)
    .join("");
}

function columnOf(at: string[], values: readonly (number | null)[]): Map<number, number> {
  return new Map(
    at.flatMap((one, i): [number, number][] => {
      const value = values[i] ?? null;
      return value === null ? [] : [[Date.parse(one), value]];
    }),
  );
}

/** Ids come from outside. */
function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
