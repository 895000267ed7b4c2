import type { AccuracyResponse } from "../../functions/api/contract/accuracy.ts";
import type { FleetPage } from "../../functions/api/contract/fleet.ts";
import type { ForecastList, LeadSeriesList } from "../../functions/api/contract/forecasts.ts";
import type { FleetVersion, FleetVersionList, Model, ModelPage } from "../../functions/api/contract/models.ts";
import type { OpsResponse } from "../../functions/api/contract/ops.ts";
import type { ReadingsResponse } from "../../functions/api/contract/readings.ts";
import type { Profile, Sensor } from "../../functions/api/contract/sensors.ts";
import type { ProfileChange } from "../sensor/profile-draft.ts";
import { escapeDots } from "../shell/route.ts";
import { type Answer, get, send } from "./client.ts";

/** One function a request, each `(…, signal) => Promise<Answer>`. Times go out as RFC 3339 UTC. */
export function getOps(signal: AbortSignal): Promise<Answer<OpsResponse>> {
  return get("/v1/ops", {}, signal);
}

export type FleetQuery = { q: string; status: string; group: string; sort: string };

/** Sensors as the fleet's table shows them: `limit` of those that fit, from `offset` on. */
export function getFleetPage(
  { q, status, group, sort }: FleetQuery,
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<Answer<FleetPage>> {
  const filters = { q: q || null, status: status || null, group: group || null };
  return get("/v1/sensors", { view: "fleet", ...filters, sort, offset, limit }, signal);
}

export const sensorPath = (sensorId: string) => `/v1/sensors/${encodeURIComponent(escapeDots(sensorId))}`;
const iso = (at: number) => new Date(at).toISOString();

export function getSensor(sensorId: string, signal: AbortSignal): Promise<Answer<Sensor>> {
  return get(sensorPath(sensorId), {}, signal);
}

export function changeProfile(sensorId: string, change: ProfileChange): Promise<Answer<Profile>> {
  return send("PATCH", sensorPath(sensorId), change);
}

export function getReadings(
  sensorId: string,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<Answer<ReadingsResponse>> {
  return get(`${sensorPath(sensorId)}/readings`, { from: iso(from), to: iso(to) }, signal);
}

/** The forecasts of `origin`, or else of the newest origin before it, one item a target, as they were issued. */
export function getForecastsFrom(sensorId: string, origin: number, signal: AbortSignal): Promise<Answer<ForecastList>> {
  return get(`${sensorPath(sensorId)}/forecasts`, { to: iso(origin + 1), limit: 1 }, signal);
}

/** What was forecast `lead` steps ahead for each moment of the range, one series a target. */
export function getLeadSeries(
  sensorId: string,
  lead: number,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<Answer<LeadSeriesList>> {
  return get(`${sensorPath(sensorId)}/forecasts`, { lead, from: iso(from), to: iso(to) }, signal);
}

export function getAccuracy(
  sensorId: string,
  groupBy: "lead" | "day" | "model",
  signal: AbortSignal,
): Promise<Answer<AccuracyResponse>> {
  return get(`${sensorPath(sensorId)}/accuracy`, { group_by: groupBy }, signal);
}

/** Versions of fleets' networks, newest first. */
export async function getFleets(signal: AbortSignal): Promise<Answer<FleetVersion[]>> {
  const answer: Answer<FleetVersionList> = await get("/v1/fleets", {}, signal);
  return answer.ok ? { ok: true, data: answer.data.items } : answer;
}

type ModelQuery = { sensorId?: string; q?: string; status?: string };

/** Models, newest first: the first `pages` pages, and whether these are all. */
export async function getModels(
  asked: ModelQuery,
  signal: AbortSignal,
  pages = 20,
): Promise<Answer<{ models: Model[]; isWhole: boolean }>> {
  const models: Model[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < pages; page++) {
    const answer: Answer<ModelPage> = await get("/v1/models", { ...asked, cursor }, signal);
    if (!answer.ok) return answer;
    models.push(...answer.data.items);
    cursor = answer.data.nextCursor;
    if (cursor === null) break;
  }
  return { ok: true, data: { models, isWhole: cursor === null } };
}
