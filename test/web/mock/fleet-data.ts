import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { ForecastResponse } from "../../../functions/api/contract/forecasts.ts";

/** The shipped rooms as the mock knows them, and forecasts that look like real ones without a model behind them. */
export const stepSeconds = 600;
export const horizon = 24;
export const stepMs = stepSeconds * 1000;
export const iso = (at: number) => new Date(at).toISOString();
/** The grid point at or before it. */
export const grid = (at: number) => Math.floor(at / stepMs) * stepMs;
export const mockTargets = [
  { target: "temperature", unit: "°C", min: -40, max: 85, column: 2 },
  { target: "humidity", unit: "%", min: 0, max: 100, column: 3 },
] as const;
export type MockTarget = (typeof mockTargets)[number];

const codeVersion = "0.1.0-mock";
const csv = new URL("../../../models/datasets/uci_appliances_energy.csv.gz", import.meta.url);

/** Values by "sensor|target|epoch ms". */
const values = new Map<string, number>();
export const sensorIds: string[] = [];
for (const line of gunzipSync(readFileSync(csv)).toString("utf8").trim().split("\n").slice(1)) {
  const cells = line.split(",");
  const sensorId = cells[0] ?? "";
  if (!sensorIds.includes(sensorId)) sensorIds.push(sensorId);
  const at = Date.parse(cells[1] ?? "");
  for (const { target, column } of mockTargets) {
    if (cells[column] !== "") values.set(`${sensorId}|${target}|${at}`, Number(cells[column]));
  }
}

/** A number in [0, 1) that depends on the text alone. */
export function seeded(text: string): number {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822507);
  hash = Math.imul(hash ^ (hash >>> 13), 3266489909);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** The room that a sensor replays: fleets larger than nine repeat the rooms. */
function roomOf(sensorId: string): string {
  if (sensorIds.includes(sensorId)) return sensorId;
  return sensorIds[Math.floor(seeded(sensorId) * sensorIds.length)] ?? "room1";
}

/** The grid value, null in the gaps that the mock cuts: two hours of room5 each day, one point of room3. */
export function valueAt(sensorId: string, target: string, at: number): number | null {
  const hour = new Date(at).getUTCHours();
  if (sensorId === "room5" && (hour === 6 || hour === 7)) return null;
  if (sensorId === "room3" && Math.floor(at / stepMs) % 97 === 0) return null;
  return values.get(`${roomOf(sensorId)}|${target}|${at}`) ?? null;
}

/** A blend of what lasts and what yesterday did, with a range that widens; null without a value at the origin. */
export function forecastFrom(sensorId: string, target: MockTarget, origin: number): ForecastResponse | null {
  const last = valueAt(sensorId, target.target, origin);
  if (last === null) return null;
  const isBaseline = sensorId === "room7";
  const width = target.target === "temperature" ? 0.09 : 0.55;
  const leads = Array.from({ length: horizon }, (_, i) => i + 1);
  const clip = (value: number) => Math.min(target.max, Math.max(target.min, Number(value.toFixed(4))));
  const yesterday = valueAt(sensorId, target.target, origin - 144 * stepMs);
  const future = (lead: number) => valueAt(sensorId, target.target, origin + lead * stepMs);
  const median = leads.map((lead) => {
    const then = valueAt(sensorId, target.target, origin + (lead - 144) * stepMs);
    const seasonal = then === null || yesterday === null ? last : last + 0.5 * (then - yesterday);
    const actual = future(lead) ?? seasonal;
    return isBaseline ? last : seasonal + 0.45 * (actual - seasonal);
  });
  return {
    sensorId,
    target: target.target,
    unit: target.unit,
    origin: new Date(origin).toISOString(),
    issuedAt: new Date(origin + 4_000).toISOString(),
    slot: new Date(origin).toISOString(),
    stepSeconds,
    method: isBaseline ? "baseline" : "lstm",
    baseline: isBaseline ? "persistence" : null,
    reason: isBaseline ? "noModel" : null,
    reasonText: isBaseline ? "no trained model yet; training is queued" : null,
    modelId: isBaseline ? null : `${sensorId}-2016w17`,
    modelSha256: isBaseline ? null : sha(sensorId),
    sourceWatermark: new Date(origin).toISOString(),
    imputedSteps: sensorId === "room3" ? 1 : 0,
    neighbours: null,
    codeVersion,
    coverage: coverageOf(sensorId + target.target, 1008),
    mix: isBaseline ? null : mixOf(new Date(origin - 2 * stepMs).toISOString()),
    leads,
    targetAt: leads.map((lead) => new Date(origin + lead * stepMs).toISOString()),
    q10: median.map((value, i) => clip(value - width * Math.sqrt(i + 1))),
    q50: median.map(clip),
    q90: median.map((value, i) => clip(value + width * 1.1 * Math.sqrt(i + 1))),
  };
}

/** Mostly the network, ridge at the first lead. */
function mixOf(learntThrough: string) {
  const group = (firstLead: number, lastLead: number, ridge: number) => ({
    firstLead,
    lastLead,
    weights: { lstm: 0.9 - ridge, ridge, climatology: 0.06, persistence: 0.04, challenger: 0 },
    widths: { lower: 1.08, upper: 0.97 },
  });
  return {
    learntThrough,
    challengerId: null,
    groups: [group(1, 1, 0.35), group(2, 6, 0.2), group(7, 12, 0.12), group(13, 24, 0.08)],
  };
}

export function sha(text: string): string {
  return Array.from({ length: 64 }, (_, i) => Math.floor(seeded(text + i) * 16).toString(16)).join("");
}

export function coverageOf(key: string, n: number) {
  return { nominal: 0.8, observed: n === 0 ? null : Number((0.76 + 0.07 * seeded(key)).toFixed(4)), n };
}
