import type { ForecastResponse, LeadSeries } from "../../functions/api/contract/forecasts.ts";
import type { ReadingsResponse } from "../../functions/api/contract/readings.ts";
import { type OwnLimits, reachLimits } from "./limits.ts";

/** One chart's columns on one ascending time axis (epoch milliseconds); null is a gap and stays one. Pure. */
export type ChartData = {
  at: number[];
  observed: (number | null)[];
  /** What stands where a sensor is silent as it uses to be, joined to the readings on both sides. */
  standing: (number | null)[];
  q10: (number | null)[];
  q50: (number | null)[];
  q90: (number | null)[];
  /** Median of past forecasts at a chosen lead. */
  overlay: (number | null)[];
  /** Lone false readings, which no line goes through. */
  heldBack: { at: number; value: number }[];
  /** The forecast's origin; its three quantiles there are the observation, so that the lines join. */
  origin: number | null;
};

export function buildChart(
  readings: ReadingsResponse | null,
  forecast: ForecastResponse | null,
  overlay: LeadSeries | null,
  target: string,
): ChartData {
  const measured = readings?.targets.find((one) => one.target === target);
  const observed = toMap(readings?.at ?? [], measured?.value ?? []);
  const q10 = toMap(forecast?.targetAt ?? [], forecast?.q10 ?? []);
  const q50 = toMap(forecast?.targetAt ?? [], forecast?.q50 ?? []);
  const q90 = toMap(forecast?.targetAt ?? [], forecast?.q90 ?? []);
  const over = toMap(overlay?.targetAt ?? [], overlay?.q50 ?? []);
  const origin = forecast === null ? null : Date.parse(forecast.origin);
  const standing = toMap(readings?.at ?? [], measured?.standing ?? []);
  const last = origin === null ? null : (observed.get(origin) ?? standing.get(origin) ?? null);
  if (origin !== null && last !== null) for (const column of [q10, q50, q90]) column.set(origin, last);
  const at = [...new Set([...observed.keys(), ...q50.keys(), ...over.keys()])].sort((a, b) => a - b);
  const column = (map: Map<number, number | null>) => at.map((one) => map.get(one) ?? null);
  return {
    at,
    observed: column(observed),
    standing: joined(column(standing), column(observed)),
    q10: column(q10),
    q50: column(q50),
    q90: column(q90),
    overlay: column(over),
    heldBack: (measured?.heldBack ?? []).map((one) => ({ at: Date.parse(one.at), value: one.value })),
    origin,
  };
}

/** With the readings beside each point, where the line of the readings ends. */
function joined(standing: (number | null)[], observed: (number | null)[]): (number | null)[] {
  const isBeside = (i: number) => standing[i - 1] != null || standing[i + 1] != null;
  return standing.map((value, i) => value ?? (isBeside(i) ? (observed[i] ?? null) : null));
}

function toMap(at: string[], values: (number | null)[]): Map<number, number | null> {
  return new Map(at.map((one, i) => [Date.parse(one), values[i] ?? null]));
}

/** Indices with a value on neither side: a line would not show them, so they are drawn as dots. */
export function lonePoints(values: (number | null | undefined)[]): number[] {
  const lone: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (values[i] != null && values[i - 1] == null && values[i + 1] == null) lone.push(i);
  }
  return lone;
}

/**
 * The value axis: the data, and own limits that are near, with a margin, never beyond the physical range; `low`, `high`
 * null without data.
 */
export function valueRange(
  low: number | null,
  high: number | null,
  limits: { min: number; max: number },
  own: OwnLimits | null = null,
): [number, number] {
  if (low === null || high === null) return [Math.max(limits.min, 0), Math.min(limits.max, 1)];
  const [lowest, highest] = reachLimits(low, high, own);
  const margin = Math.max((highest - lowest) * 0.1, Math.abs(highest) * 0.002, 1e-6);
  return [Math.max(limits.min, lowest - margin), Math.min(limits.max, highest + margin)];
}

/** What became of a forecast: over the leads whose actual is known. Null while none is. */
export type Aftermath = { n: number; inside: number; mae: number; persistenceMae: number | null };
export function aftermath(data: ChartData): Aftermath | null {
  const { origin } = data;
  if (origin === null) return null;
  const start = data.at.indexOf(origin);
  const last = start < 0 ? null : (data.observed[start] ?? null);
  let n = 0;
  let inside = 0;
  let error = 0;
  let persistence = 0;
  for (let i = 0; i < data.at.length; i++) {
    const actual = data.observed[i];
    const [low, middle, high] = [data.q10[i], data.q50[i], data.q90[i]];
    if (data.at[i]! <= origin || actual == null || low == null || middle == null || high == null) continue;
    n++;
    if (low <= actual && actual <= high) inside++;
    error += Math.abs(actual - middle);
    persistence += Math.abs(actual - (last ?? 0));
  }
  return n === 0 ? null : { n, inside, mae: error / n, persistenceMae: last === null ? null : persistence / n };
}
