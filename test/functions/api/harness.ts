import type { OpenAPIHono } from "@hono/zod-openapi";
import type { z } from "zod";
import type { Readings } from "../../../core/data/reading.ts";
import type { Forecast, Outcome } from "../../../core/forecast/forecast.ts";
import type { Score } from "../../../core/forecast/score.ts";
import { everyLead } from "../../../core/model/leads.ts";
import { addSeconds } from "../../../core/time.ts";
import { withinDeadline } from "../../../functions/adapters/deadline.ts";
import { memoryStore } from "../../../functions/adapters/memory-store.ts";
import { onnxInference } from "../../../functions/adapters/onnx.ts";
import { postgresAudit } from "../../../functions/adapters/postgres/access/audit.ts";
import { postgresKeys } from "../../../functions/adapters/postgres/access/keys.ts";
import { postgresSessions } from "../../../functions/adapters/postgres/access/sessions.ts";
import { postgresAnnotations } from "../../../functions/adapters/postgres/annotation/annotations.ts";
import { openDatabase } from "../../../functions/adapters/postgres/connection/pool.ts";
import { postgresDeadLetters } from "../../../functions/adapters/postgres/dead-letters.ts";
import { postgresLedger } from "../../../functions/adapters/postgres/ledger.ts";
import { postgresProfiles } from "../../../functions/adapters/postgres/profiles.ts";
import { postgresRegistry } from "../../../functions/adapters/postgres/registry/registry.ts";
import type { PredictorSchema } from "../../../functions/adapters/postgres/schema.ts";
import { postgresScores } from "../../../functions/adapters/postgres/score/scores.ts";
import { createViews } from "../../../functions/adapters/postgres/views.ts";
import { prometheusMetrics } from "../../../functions/adapters/prometheus.ts";
import type { AccessServices } from "../../../functions/api/access/services.ts";
import { createApi } from "../../../functions/api/app.ts";
import { Problem } from "../../../functions/api/contract/common.ts";
import type { ApiServices, ApiSettings } from "../../../functions/api/services.ts";
import { alertStores } from "../../../functions/runtime/alerts.ts";
import { fleetOf, someSlot } from "../../builders.ts";
import { testClock } from "../../fakes/clock.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { noFleets } from "../../fakes/inference.ts";
import { quietLog } from "../../fakes/log.ts";
import { memoryQueue } from "../../fakes/queue.ts";
import type { TestPostgres } from "../../postgres.ts";

export const stepSeconds = 600;
export const horizon = 24;

/** The API over a fresh real database, a follower of given readings and a clock that stands at `someSlot`. */
export async function startApi(
  postgres: TestPostgres,
  options: {
    url?: string;
    readings?: Map<string, Readings>;
    settings?: Partial<ApiSettings>;
    services?: Partial<ApiServices>;
    access?: Partial<AccessServices>;
  } = {},
) {
  const database = openDatabase<PredictorSchema>({
    url: options.url ?? (await postgres.createPredictorDatabase()),
    side: "predictor",
    max: 4,
  });
  const { db } = database;
  const clock = testClock(someSlot);
  const log = quietLog();
  const ledger = postgresLedger(db);
  const scores = postgresScores(db);
  const registry = postgresRegistry(db);
  const queue = memoryQueue();
  const store = memoryStore();
  const follower = memoryFollower(options.readings ?? new Map());
  const settings: ApiSettings = {
    stepSeconds,
    leads: everyLead(horizon),
    targets: fleetOf().targets,
    codeVersion: "test",
    isDemo: false,
    clockSpeed: 1,
    allowedOrigins: [],
    storage: { retention: { mixDays: 2, forecastDays: 400, cycleDays: 90, isArchived: true }, limitBytes: 1e12 },
    onDemandWaitMs: 0,
    revisionMs: 0,
    ...options.settings,
  };
  const services: ApiServices = {
    ports: {
      ...{ clock, log, follower, registry, ledger, queue, store },
      ...{ profiles: postgresProfiles(db), annotations: postgresAnnotations(db) },
      ...alertStores(database, { alertSecretKey: "a key of the tests, of 32 characters or more" }),
      ...{ inference: onnxInference({ store, log }), fleetInference: noFleets() },
      deadLetters: postgresDeadLetters(db),
      scores,
    },
    views: createViews(db),
    requestForecasts: async () => {},
    settings,
    access: {
      mode: "open",
      bootstrapKey: null,
      clock,
      keys: postgresKeys(db),
      sessions: postgresSessions(db),
      audit: postgresAudit(db),
      issuer: null,
      shareKey: "a key of the tests for links",
      publicUrl: null,
      trustsProxy: false,
      limits: { readsPerSecond: 100_000, writesPerMinute: 100_000, trainingsPerDay: 100_000 },
      ...options.access,
    },
    metrics: prometheusMetrics("test"),
    within: withinDeadline,
    ...options.services,
  };
  const app = createApi(services);
  return { app, db, clock, log, ledger, scores, registry, queue, follower, store, services, close: database.close };
}

export type TestApi = Awaited<ReturnType<typeof startApi>>;

/** The answer, which must be `status` and parse as `schema`. */
export async function getAs<Schema extends z.ZodType>(
  app: OpenAPIHono,
  path: string,
  schema: Schema,
  init: RequestInit & { status?: number } = {},
): Promise<z.infer<Schema>> {
  const { status = 200, ...request } = init;
  const response = await app.request(path, request);
  const text = await response.text();
  if (response.status !== status) throw new Error(`${path.slice(0, 200)} answered ${response.status}: ${text}`);
  return schema.parse(JSON.parse(text));
}

/** The answer, which must be a problem with this status and say nothing of what is inside. */
export async function getProblem(app: OpenAPIHono, path: string, status: number, init: RequestInit = {}) {
  const response = await app.request(path, init);
  const text = await response.text();
  if (response.status !== status) throw new Error(`${path.slice(0, 200)} answered ${response.status}: ${text}`);
  const type = response.headers.get("Content-Type");
  if (type !== "application/problem+json") throw new Error(`${path.slice(0, 200)} answered as ${type}`);
  if (/node_modules|\.ts:\d|select |postgres:\/\//i.test(text)) throw new Error(`internals in ${text}`);
  const problem = Problem.parse(JSON.parse(text));
  if (problem.status !== status) throw new Error(`status ${problem.status} in the body of a ${status}`);
  return problem;
}

/** A JSON POST. */
export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers } };
}

/** A served LSTM forecast of `origin`, issued one minute later; q50 rises by 0.25 a lead from `level`. */
export function forecastOf(overrides: Partial<Forecast> & { level?: number } = {}): Forecast {
  const { level = 20, ...rest } = overrides;
  const origin = rest.origin ?? someSlot;
  const ramp = (offset: number) => Array.from({ length: horizon }, (_, index) => level + offset + 0.25 * (index + 1));
  return {
    sensorId: "a",
    target: "temperature",
    origin,
    modelKey: "model-a",
    isServed: true,
    slot: origin,
    issuedAt: addSeconds(origin, 60),
    unit: "°C",
    stepSeconds,
    method: "lstm",
    baseline: null,
    reason: null,
    reasonText: null,
    modelId: "model-a",
    modelSha256: "a".repeat(64),
    sourceWatermark: addSeconds(origin, -30),
    imputedSteps: 0,
    neighbours: null,
    codeVersion: "test",
    leads: everyLead(horizon),
    q10: ramp(-1),
    q50: ramp(0),
    q90: ramp(1),
    resolution: null,
    lastValue: level,
    seasonalNaive: Array.from({ length: horizon }, () => null),
    mix: null,
    ...rest,
  };
}

/** Both targets of one sensor and origin. */
export function forecastsOf(overrides: Partial<Forecast> & { level?: number } = {}): Forecast[] {
  return [
    forecastOf(overrides),
    forecastOf({ ...overrides, target: "humidity", unit: "%", level: (overrides.level ?? 20) * 2 }),
  ];
}

export function outcomeOf(overrides: Partial<Outcome> = {}): Outcome {
  const slot = overrides.slot ?? someSlot;
  return {
    sensorId: "a",
    slot,
    status: "issued",
    reason: null,
    reasonText: null,
    have: null,
    need: null,
    held: 0,
    decidedAt: addSeconds(slot, 60),
    ...overrides,
  };
}

/** A score whose every lead has the same errors. */
export function scoreOf(overrides: Partial<Score> = {}): Score {
  const { leads = everyLead(horizon), ...rest } = overrides;
  const all = <T>(value: T) => leads.map(() => value);
  return {
    sensorId: "a",
    target: "temperature",
    targetAt: someSlot,
    modelKey: "model-a",
    actual: 20,
    scoredAt: addSeconds(rest.targetAt ?? someSlot, 120),
    resolution: null,
    leads,
    error: all(0.5),
    pinball: all(0.2),
    isCovered: all(true),
    ownPinball: all(0.2),
    ownIsCovered: all(true),
    persistenceError: all(1),
    seasonalNaiveError: all(-2),
    ...rest,
  };
}
