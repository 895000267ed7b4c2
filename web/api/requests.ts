import type {
  Accuracy,
  AnswerOf,
  FleetPage,
  FleetVersion,
  ForecastList,
  LeadSeriesList,
  Model,
  Ops,
  Profile,
  QueryOf,
  Readings,
  Sensor,
} from "../client/client.ts";
import { escapeDots } from "../client/client.ts";
import type { ProfileChange } from "../sensor/profile-draft.ts";
import { type Answer, api, settle } from "./client.ts";

/** One function a request, each `(…, signal) => Promise<Answer>`. Times go out as RFC 3339 UTC. */
export function getOps(signal: AbortSignal): Promise<Answer<Ops>> {
  return settle(api.get("/v1/ops", { signal }));
}

export type FleetQuery = { q: string; status: string; group: string; sort: string };

/** Sensors as the fleet's table shows them: `limit` of those that fit, from `offset` on. */
export function getFleetPage(
  { q, status, group, sort }: FleetQuery,
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<Answer<FleetPage>> {
  const filters = { q: q || null, status: status || null, group: group || null, sort: sort as Sort };
  const query = { view: "fleet" as const, ...filters, offset, limit };
  return settle(api.get("/v1/sensors", { query, signal }) as Promise<FleetPage>);
}
type Sort = QueryOf<"get", "/v1/sensors">["sort"];

export const sensorPath = (sensorId: string) => `/v1/sensors/${encodeURIComponent(escapeDots(sensorId))}`;
const iso = (at: number) => new Date(at).toISOString();

export function getSensor(sensorId: string, signal: AbortSignal): Promise<Answer<Sensor>> {
  return settle(api.get("/v1/sensors/{id}", { path: { id: sensorId }, signal }));
}

export function changeProfile(sensorId: string, change: ProfileChange): Promise<Answer<Profile>> {
  return settle(api.patch("/v1/sensors/{id}", { path: { id: sensorId }, body: change }));
}

export function getReadings(
  sensorId: string,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<Answer<Readings>> {
  const query = { from: iso(from), to: iso(to) };
  return settle(api.get("/v1/sensors/{id}/readings", { path: { id: sensorId }, query, signal }));
}

const forecasts = "/v1/sensors/{id}/forecasts";

/** The forecasts of `origin`, or else of the newest origin before it, one item a target, as they were issued. */
export function getForecastsFrom(sensorId: string, origin: number, signal: AbortSignal): Promise<Answer<ForecastList>> {
  const query = { to: iso(origin + 1), limit: 1 };
  return settle(api.get(forecasts, { path: { id: sensorId }, query, signal }) as Promise<ForecastList>);
}

/** What was forecast `lead` steps ahead for each moment of the range, one series a target. */
export function getLeadSeries(
  sensorId: string,
  lead: number,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<Answer<LeadSeriesList>> {
  const query = { lead, from: iso(from), to: iso(to) };
  return settle(api.get(forecasts, { path: { id: sensorId }, query, signal }) as Promise<LeadSeriesList>);
}

export function getAccuracy(
  sensorId: string,
  groupBy: "lead" | "day" | "model",
  signal: AbortSignal,
): Promise<Answer<Accuracy>> {
  const query = { group_by: groupBy };
  return settle(api.get("/v1/sensors/{id}/accuracy", { path: { id: sensorId }, query, signal }));
}

/** Versions of fleets' networks, newest first. */
export async function getFleets(signal: AbortSignal): Promise<Answer<FleetVersion[]>> {
  const answer = await settle(api.get("/v1/fleets", { signal }));
  return answer.ok ? { ok: true, data: answer.data.items } : answer;
}

type ModelQuery = { sensorId?: string; q?: string; status?: string };

/** Models, newest first: the first `pages` pages, and whether these are all. */
export async function getModels(
  { status, ...asked }: ModelQuery,
  signal: AbortSignal,
  pages = 20,
): Promise<Answer<{ models: Model[]; isWhole: boolean }>> {
  const models: Model[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < pages; page++) {
    const query: QueryOf<"get", "/v1/models"> = { ...asked, status: status as Model["status"] | undefined, cursor };
    const answer: Answer<ModelList> = await settle(api.get("/v1/models", { query, signal }));
    if (!answer.ok) return answer;
    models.push(...answer.data.items);
    cursor = answer.data.nextCursor;
    if (cursor === null) break;
  }
  return { ok: true, data: { models, isWhole: cursor === null } };
}
type ModelList = AnswerOf<"get", "/v1/models">;
