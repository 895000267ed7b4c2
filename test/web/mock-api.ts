import type { z } from "zod";
import { levelsOf } from "../../core/data/counter.ts";
import { SessionResponse } from "../../functions/api/contract/access.ts";
import { AccuracyResponse } from "../../functions/api/contract/accuracy.ts";
import type { ChannelResponse, RuleRequest } from "../../functions/api/contract/alerts.ts";
import type { AnnotationResponse } from "../../functions/api/contract/annotations.ts";
import { type FleetCrossing, FleetPage, type FleetSensor } from "../../functions/api/contract/fleet.ts";
import {
  ForecastList,
  type ForecastResponse,
  type LeadSeries,
  LeadSeriesList,
} from "../../functions/api/contract/forecasts.ts";
import { FleetVersionList, Model, ModelPage, Trial } from "../../functions/api/contract/models.ts";
import { OpsResponse } from "../../functions/api/contract/ops.ts";
import { ReadingsResponse } from "../../functions/api/contract/readings.ts";
import { type CrossingAhead, type Profile, Sensor } from "../../functions/api/contract/sensors.ts";
import { fromSegment } from "../../functions/api/parameters.ts";
import {
  coverageOf,
  forecastFrom,
  horizon,
  type MockTarget,
  mockTargets,
  seeded,
  sensorIds,
  stepMs,
  stepSeconds,
  valueAt,
} from "./fleet-data.ts";
import { answerAlerts } from "./mock-alerts.ts";
import { answerAnnotations, withoutAnnotated } from "./mock-annotations.ts";
import { auditOf } from "./mock-audit.ts";
import { accuracyOf, fleetsOf, modelsOf, trialOf } from "./model-data.ts";

/** What a test may change while the server runs. */
export type MockState = {
  /** The server's present, epoch milliseconds. */
  now: number;
  clockSpeed: number;
  /** How many sensors: the nine rooms, then made-up ones. */
  sensors: number;
  /** How many models more than those of the rooms. */
  models: number;
  /** Ids beside those. */
  moreIds: string[];
  /** The source fell silent that many seconds before `now`. */
  silentSeconds: number;
  readingsAhead: number;
  /** As on AWS: the queues are elsewhere. */
  hasQueues: boolean;
  deadLetters: number;
  /** Comes once an hour, with a lone false reading an hour before the newest. */
  seldomSensor: string | null;
  /** Its temperature is the rate of a counter that stood at a million at the origin. */
  counterSensor: string | null;
  sourceError: string | null;
  /** Whether somebody has seen the alert that fires. */
  isAcknowledged: boolean;
  /** Rules that were sent, to be made, changed or rehearsed. */
  sentRules: z.infer<typeof RuleRequest>[];
  channels: z.infer<typeof ChannelResponse>[];
  /** The model that a person has promoted. */
  promotedId: string | null;
  /** What was edited, by sensor. */
  profiles: Record<string, Profile>;
  annotations: z.infer<typeof AnnotationResponse>[];
  /** Requests whose path has this text are answered 503. */
  failing: string | null;
};
export type Answer = { status: number; body: unknown };

const iso = (at: number) => new Date(at).toISOString();
const grid = (at: number) => Math.floor(at / stepMs) * stepMs;

function fleetOf(state: MockState): string[] {
  const made = Array.from({ length: Math.max(0, state.sensors - sensorIds.length) }, (_, i) => `device-${i + 1}`);
  return [...sensorIds.slice(0, state.sensors), ...made, ...state.moreIds];
}

/** The last grid point with readings; room4 stopped five hours ago, room8 has only just begun. */
function newestAt(state: MockState, sensorId: string): number {
  return grid(state.now - state.silentSeconds * 1000 - (sensorId === "room4" ? 5 * 3_600_000 : 0));
}

function statusOf(state: MockState, sensorId: string): Pick<Sensor, "status" | "statusText"> {
  if (sensorId === "room4" || state.silentSeconds > 0) {
    return { status: "stale", statusText: "newest reading is old; forecast withheld until readings come" };
  }
  if (sensorId === "room5") return { status: "refused", statusText: "gap: 84 of 96 context steps; waits for readings" };
  if (sensorId === "room7") return { status: "baseline", statusText: "persistence: no trained model yet" };
  if (sensorId === "room8") return { status: "waiting", statusText: "31 of 40 readings, about 2 h left" };
  return { status: "ok", statusText: "forecast by its LSTM at 2016-05-04 14:20 UTC" };
}

/** An id such as `__proto__` names nothing that was edited. */
function profileOf(state: MockState, sensorId: string): Profile {
  return Object.hasOwn(state.profiles, sensorId) ? state.profiles[sensorId]! : noProfile;
}

function sensorOf(state: MockState, sensorId: string): Sensor {
  const newest = newestAt(state, sensorId);
  const { status, statusText } = statusOf(state, sensorId);
  const isIssued = status === "ok" || status === "baseline";
  const at = Array.from({ length: 144 }, (_, i) => newest - (143 - i) * stepMs).filter(
    (one) => sensorId !== "room8" || one > newest - 31 * stepMs,
  );
  return {
    sensorId,
    status,
    statusText,
    newestReadingAt: iso(newest),
    lastOutcome: {
      slot: iso(grid(state.now)),
      status: isIssued ? (status === "ok" ? "issued" : "baseline") : "refused",
      reason: isIssued ? (status === "ok" ? null : "noModel") : status === "refused" ? "gap" : "staleSource",
      reasonText: statusText === "" ? null : statusText,
      have: status === "refused" ? 84 : null,
      need: status === "refused" ? 96 : null,
      held: sensorId === state.seldomSensor ? 1 : 0,
    },
    modelId: status === "baseline" || status === "waiting" ? null : `${sensorId}-2016w17`,
    profile: profileOf(state, sensorId),
    targets: mockTargets.map((target) => ({
      target: target.target,
      unit: target.unit,
      min: target.min,
      max: target.max,
      lastValue: valueAt(sensorId, target.target, newest),
      lastReadingAt: iso(newest),
      history: { at: at.map(iso), value: at.map((one) => valueAt(sensorId, target.target, one)) },
      forecast: isIssued ? levelled(state, forecastFrom(sensorId, target, newest)) : null,
      crossings: isIssued ? crossingsOf(state, sensorId, target.target, newest) : null,
      skill:
        status === "waiting"
          ? { persistence: null, seasonalNaive: null, n: 0 }
          : {
              persistence: Number((seeded(sensorId + target.target) * 0.5 - 0.06).toFixed(4)),
              seasonalNaive: 0.4,
              n: 1008,
            },
    })),
  };
}

const noProfile: Profile = { name: null, group: null, place: null, notes: null, limits: {} };

/** Of an upper limit, a third likely; as the words of the API have it. */
function crossingsOf(state: MockState, sensorId: string, target: string, newest: number): CrossingAhead[] {
  const high = profileOf(state, sensorId).limits[target]?.high ?? null;
  if (high === null) return [];
  const crossesAt = iso(newest + 6 * stepMs);
  const text = `above ${high} °C from about ${crossesAt.slice(11, 16)} UTC, 35 %`;
  return [{ side: "above", limit: high, chance: 0.35, crossesAt, isBeyond: false, text }];
}

/** Room 3 is the only one with limits, unless a test gives them to others. */
function likeliestOf(state: MockState, sensorId: string, newest: number): FleetCrossing | null {
  const target = "temperature";
  const [own] = crossingsOf(state, sensorId, target, newest);
  if (own !== undefined) return { target, ...own };
  if (sensorId !== "room3") return null;
  const crossesAt = iso(newest + 12 * stepMs);
  const text = `above 21.5 °C from about ${crossesAt.slice(11, 16)} UTC, 62 %`;
  return { target, side: "above", limit: 21.5, chance: 0.62, crossesAt, isBeyond: false, text };
}

const urgency = ["refused", "stale", "baseline", "waiting", "ok"] as const;

function fleetSensorOf(state: MockState, sensorId: string): FleetSensor {
  const sensor = sensorOf(state, sensorId);
  const { status, statusText, newestReadingAt, modelId } = sensor;
  const skills = sensor.targets.flatMap(({ skill }) => skill.persistence ?? []);
  const crossing = newestReadingAt === null ? null : likeliestOf(state, sensorId, Date.parse(newestReadingAt));
  return {
    ...(crossing === null ? {} : { chance: crossing.chance, crossing }),
    ...{ sensorId, status, statusText, newestReadingAt, modelId, coverage: coverageOf(sensorId, 1008).observed },
    ...(sensorId === "room2" ? { name: "Living room", group: "house/ground floor" } : {}),
    skill: skills.length === 0 ? null : Math.min(...skills),
    targets: sensor.targets.map(({ target, unit, lastValue, lastReadingAt, history, forecast, skill }) => ({
      ...{ target, unit, lastValue, lastReadingAt, history: history.value.slice(-36), skill: skill.persistence },
      forecast,
      coverage: coverageOf(sensorId + target, skill.n),
    })),
  };
}

/** As the API orders, filters and counts; what is equal goes by id. */
function fleetPageOf(state: MockState, query: URLSearchParams): FleetPage {
  const words = (query.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const group = query.get("group");
  const lines = fleetOf(state).map((sensorId) => ({
    sensorId,
    ...statusOf(state, sensorId),
    group: sensorId === "room2" ? "house/ground floor" : null,
  }));
  const fitting = lines.filter(
    (line) =>
      words.every((word) => `${line.sensorId} ${line.statusText}`.toLowerCase().includes(word)) &&
      (group === null || line.group === group),
  );
  const statuses = query.get("status")?.split(",");
  const sort = query.get("sort") ?? "sensorId";
  const way = sort.startsWith("-") ? -1 : 1;
  const likely = (sensorId: string) => likeliestOf(state, sensorId, 0)?.chance ?? -1;
  const byId = new Intl.Collator("en", { numeric: true });
  const chosen = fitting
    .filter(({ status }) => statuses === undefined || statuses.includes(status))
    .sort(
      (a, b) =>
        (sort.endsWith("chance") ? way * (likely(b.sensorId) - likely(a.sensorId)) : 0) ||
        (sort.endsWith("attention") ? way * (urgency.indexOf(a.status) - urgency.indexOf(b.status)) : 0) ||
        (sort === "-sensorId" ? -1 : 1) * byId.compare(a.sensorId, b.sensorId),
    );
  const offset = Number(query.get("offset") ?? 0);
  const limit = Number(query.get("limit") ?? 50);
  const newest = newestAt(state, "room1");
  return {
    items: chosen.slice(offset, offset + limit).map(({ sensorId }) => fleetSensorOf(state, sensorId)),
    nextCursor: null,
    total: chosen.length,
    counts: Object.fromEntries(
      urgency.map((status) => [status, fitting.filter((line) => line.status === status).length]),
    ) as FleetPage["counts"],
    version: "1",
    grid: { from: iso(newest - 35 * stepMs), stepSeconds },
  };
}

/** As on loopback, where nobody signs in. */
const openSession: SessionResponse = {
  mode: "open",
  actor: { kind: "anonymous", name: "anonymous", scopes: ["read", "ops", "admin"] },
  hasIssuer: false,
};

function opsOf(state: MockState): OpsResponse {
  const slot = grid(state.now);
  const sensors = fleetOf(state).length;
  return {
    now: iso(state.now),
    clockSpeed: state.clockSpeed,
    isDemo: true,
    stepSeconds,
    horizon,
    leads: Array.from({ length: horizon }, (_, i) => i + 1),
    source: {
      newestReadingAt: iso(grid(state.now - state.silentSeconds * 1000)),
      ageSeconds: state.silentSeconds + (state.now - slot) / 1000,
      readingsAhead: state.readingsAhead,
      isStandby: true,
      isReceiving: state.sourceError === null,
      lagBytes: 18_432,
      error: state.sourceError,
    },
    cycles: Array.from({ length: 5 }, (_, i) => ({
      slot: iso(slot - i * stepMs),
      openedAt: iso(slot - i * stepMs + 1000),
      fannedOutAt: iso(slot - i * stepMs + 1200),
      sensors,
      shards: 1,
      issued: Math.max(0, sensors - 4),
      baseline: Math.min(sensors, 1),
      refused: sensors > 4 ? 3 : 0,
      expired: 0,
    })),
    queue: state.hasQueues
      ? [
          { name: "forecast", waiting: 0, active: 1, failed: 0 },
          { name: "score", waiting: 2, active: 0, failed: 0 },
        ]
      : [],
    deadLetters: {
      count: state.deadLetters,
      items: Array.from({ length: Math.min(state.deadLetters, 20) }, (_, i) => ({
        id: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`,
        queue: "forecast",
        reason: i % 2 === 0 ? "predictorUnavailable: predictor database: <b>away</b>" : null,
        sentAt: iso(state.now - (i + 1) * 3_600_000),
        deadAt: i % 2 === 0 ? iso(state.now - i * 3_600_000) : null,
        body: JSON.stringify({ slot: iso(slot), sensorIds: ["<i>hall</i>"] }),
      })),
      error: null,
    },
    database: { bytes: 84_300_000, tables: [{ name: "forecasts", bytes: 61_000_000, rows: 91_240 }] },
    storage: {
      bytesPerDay: 2_100_000,
      freedPerDay: 0,
      limitBytes: 500_000_000,
      daysToLimit: 197.9,
      tables: [
        {
          ...{ table: "issued", keptDays: 400, days: 31, bytes: 61_000_000, oldestDay: "2026-02-01" },
          ...{ goesAt: "2027-03-09T00:00:00.000Z", goesBytes: 1_900_000 },
        },
      ],
      backup: { finishedAt: iso(slot - 9 * 3_600_000), ageSeconds: 9 * 3_600, bytes: 12_000_000 },
      archived: { days: 28, bytes: 9_000_000 },
    },
    sensors,
    codeVersion: "0.1.0-mock",
  };
}

function levelled(state: MockState, forecast: ForecastResponse | null): ForecastResponse | null {
  if (forecast?.sensorId !== state.counterSensor || forecast?.target !== "temperature") return forecast;
  const from = 1_000_000.25;
  const level = { unit: "kWh", readAt: forecast.origin, from, ...levelsOf(from, forecast, stepMs / 1000) };
  return { ...forecast, level };
}

function readingsOf(state: MockState, sensorId: string, from: number, to: number): ReadingsResponse {
  const end = Math.min(to, newestAt(state, sensorId));
  const at: number[] = [];
  for (let one = grid(from) + stepMs; one <= end; one += stepMs) at.push(one);
  const isSeldom = sensorId === state.seldomSensor;
  const hourMs = 3_600_000;
  const isMissed = (one: number) => isSeldom && one % hourMs !== 0;
  const falseAt = Math.floor(end / hourMs) * hourMs - hourMs;
  const targets = mockTargets.map(({ target, unit }) => ({
    target,
    unit,
    value: at.map((one) => (isMissed(one) ? null : valueAt(sensorId, target, one))),
    heldBack: isSeldom && target === "temperature" ? [{ at: iso(falseAt), value: 85 }] : [],
    shift: null,
    standing: at.map((one) => (isMissed(one) ? valueAt(sensorId, target, one - (one % hourMs)) : null)),
    everySeconds: isSeldom ? 3600 : 600,
  }));
  return { sensorId, stepSeconds, from: iso(from), to: iso(to), at: at.map(iso), targets };
}

function leadSeriesOf(
  state: MockState,
  sensorId: string,
  target: MockTarget,
  lead: number,
  from: number,
  to: number,
): LeadSeries {
  const points: { at: number; origin: number; forecast: ReturnType<typeof forecastFrom> }[] = [];
  for (let at = grid(from) + stepMs; at <= to && at - lead * stepMs <= newestAt(state, sensorId); at += stepMs) {
    points.push({ at, origin: at - lead * stepMs, forecast: forecastFrom(sensorId, target, at - lead * stepMs) });
  }
  const pick = (name: "q10" | "q50" | "q90") => points.map((point) => point.forecast?.[name][lead - 1] ?? null);
  return {
    sensorId,
    target: target.target,
    unit: target.unit,
    lead,
    targetAt: points.map((point) => iso(point.at)),
    origin: points.map((point) => iso(point.origin)),
    q10: pick("q10"),
    q50: pick("q50"),
    q90: pick("q90"),
  };
}

function modelPageOf(state: MockState, query: URLSearchParams): ModelPage {
  const { q = "", status, cursor = 0, limit = 50, sensorId = null } = Object.fromEntries(query);
  const fitting = modelsOf(state.now, sensorId, state.models).filter(
    (model) =>
      (status === undefined || model.status === status) &&
      q.split(/\s+/).every((word) => `${model.modelId} ${model.sensorId} ${model.statusReason}`.includes(word)),
  );
  const end = Number(cursor) + Number(limit);
  return {
    items: fitting.slice(Number(cursor), end),
    nextCursor: end < fitting.length ? String(end) : null,
  };
}

const notFound = (detail: string): Answer => ({
  status: 404,
  body: { type: "about:blank", title: "Not found", status: 404, detail, code: "notFound" },
});

/** One model, its trial, or what became of it. */
function modelAnswer(state: MockState, modelId: string, part: string): Answer {
  const found = modelsOf(state.now, null, state.models).find((model) => model.modelId === modelId);
  if (found === undefined) return notFound(`There is no model "${modelId}".`);
  const model =
    state.promotedId === modelId ? { ...found, status: "champion" as const, statusReason: "by hand" } : found;
  if (part === "/trial") return { status: 200, body: Trial.parse(trialOf(model)) };
  if (part === ":promote") state.promotedId = modelId;
  return { status: 200, body: Model.parse(part === ":promote" ? { ...model, status: "champion" } : model) };
}

/** What a request sends. */
export type Sent = { method: string; body: unknown };

/** Takes over what a PATCH of a sensor changes. */
function changeProfile(state: MockState, sensorId: string, change: Partial<Profile>): Answer {
  const before = profileOf(state, sensorId);
  const profile = { ...before, ...change, limits: { ...before.limits, ...change.limits } };
  state.profiles[sensorId] = profile;
  return { status: 200, body: profile };
}

/** Answers one request as the API would; every 200 has passed the contract. */
export function answer(state: MockState, url: URL, { method, body }: Sent = { method: "GET", body: null }): Answer {
  const { pathname, searchParams: query } = url;
  if (state.failing !== null && pathname.includes(state.failing)) {
    const detail = "The predictor database did not answer within 5,000 ms.";
    return {
      status: 503,
      body: { type: "about:blank", title: "Database unavailable", status: 503, detail, code: "databaseUnavailable" },
    };
  }
  if (pathname === "/v1/session") return { status: 200, body: SessionResponse.parse(openSession) };
  if (pathname === "/v1/audit") return { status: 200, body: auditOf(state.now, Number(query.get("limit"))) };
  if (pathname === "/v1/ops") return { status: 200, body: OpsResponse.parse(opsOf(state)) };
  const alerts = answerAlerts(state, url, { method, body });
  if (alerts !== null) return alerts;
  const annotations = answerAnnotations(state, pathname, query, { method, body });
  if (annotations !== null) return annotations;
  if (pathname === "/v1/fleets") return { status: 200, body: FleetVersionList.parse(fleetsOf(state.now)) };
  const [, modelId, part] = /^\/v1\/models\/([^/:]+)([/:]\w+)?$/.exec(pathname) ?? [];
  if (modelId !== undefined) return modelAnswer(state, decodeURIComponent(modelId), part ?? "");
  if (pathname === "/v1/models") return { status: 200, body: ModelPage.parse(modelPageOf(state, query)) };
  if (pathname === "/v1/sensors") return { status: 200, body: FleetPage.parse(fleetPageOf(state, query)) };
  const [, id, rest] = /^\/v1\/sensors\/([^/]+)(?:\/(\w+))?$/.exec(pathname) ?? [];
  const sensorId = fromSegment(decodeURIComponent(id ?? ""));
  if (!fleetOf(state).includes(sensorId)) return notFound(`There is no sensor "${sensorId}".`);
  const from = Date.parse(query.get("from") ?? iso(state.now - 86_400_000));
  const to = Date.parse(query.get("to") ?? iso(state.now));
  if (method === "PATCH") return changeProfile(state, sensorId, body as Partial<Profile>);
  if (rest === undefined) return { status: 200, body: Sensor.parse(sensorOf(state, sensorId)) };
  if (rest === "readings") return { status: 200, body: ReadingsResponse.parse(readingsOf(state, sensorId, from, to)) };
  if (rest === "accuracy") {
    const groupBy = query.get("group_by");
    const group = groupBy === "day" || groupBy === "model" ? groupBy : "lead";
    const accuracy = withoutAnnotated(accuracyOf(state.now, sensorId, group), state.annotations);
    return { status: 200, body: AccuracyResponse.parse(accuracy) };
  }
  if (rest !== "forecasts") return notFound(`There is no ${pathname}.`);
  const lead = query.get("lead");
  const named = mockTargets.filter((one) => query.get("target") === null || one.target === query.get("target"));
  if (lead !== null) {
    const items = named.map((target) => leadSeriesOf(state, sensorId, target, Number(lead), from, to));
    return { status: 200, body: LeadSeriesList.parse({ items, nextCursor: null }) };
  }
  const before = query.get("to");
  const newest = newestAt(state, sensorId);
  const at = before === null ? newest : Math.min(newest, Math.ceil(Date.parse(before) / stepMs) * stepMs - stepMs);
  const items = named
    .map((target) => levelled(state, forecastFrom(sensorId, target, at)))
    .filter((one) => one !== null);
  return { status: 200, body: ForecastList.parse({ items, nextCursor: null }) };
}
