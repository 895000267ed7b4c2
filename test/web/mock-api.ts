import {
  AccuracyResponse,
  ForecastList,
  type LeadSeries,
  LeadSeriesList,
  ModelPage,
  OpsResponse,
  ReadingsResponse,
  Sensor,
  SensorPage,
} from "../../functions/api/contract.ts";
import {
  coverageOf,
  forecastFrom,
  HORIZON,
  type MockTarget,
  STEP_MS,
  STEP_SECONDS,
  seeded,
  sensorIds,
  sha,
  TARGETS,
  valueAt,
} from "./fleet-data.ts";

/** What a test may change while the server runs. */
export type MockState = {
  /** The server's present, epoch milliseconds. */
  now: number;
  clockSpeed: number;
  /** How many sensors: the nine rooms, then made-up ones. */
  sensors: number;
  /** The source fell silent that many seconds before `now`. */
  silentSeconds: number;
  sourceError: string | null;
  /** Requests whose path has this text are answered 503. */
  failing: string | null;
};
export type Answer = { status: number; body: unknown };

const PAGE = 200;
const iso = (at: number) => new Date(at).toISOString();
const grid = (at: number) => Math.floor(at / STEP_MS) * STEP_MS;

function fleetOf(state: MockState): string[] {
  const made = Array.from({ length: Math.max(0, state.sensors - sensorIds.length) }, (_, i) => `device-${i + 1}`);
  return [...sensorIds.slice(0, state.sensors), ...made];
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

function sensorOf(state: MockState, sensorId: string): Sensor {
  const newest = newestAt(state, sensorId);
  const { status, statusText } = statusOf(state, sensorId);
  const isIssued = status === "ok" || status === "baseline";
  const at = Array.from({ length: 144 }, (_, i) => newest - (143 - i) * STEP_MS).filter(
    (one) => sensorId !== "room8" || one > newest - 31 * STEP_MS,
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
    },
    modelId: status === "baseline" || status === "waiting" ? null : `${sensorId}-2016w17`,
    targets: TARGETS.map((target) => ({
      target: target.target,
      unit: target.unit,
      min: target.min,
      max: target.max,
      lastValue: valueAt(sensorId, target.target, newest),
      lastReadingAt: iso(newest),
      history: { at: at.map(iso), value: at.map((one) => valueAt(sensorId, target.target, one)) },
      forecast: isIssued ? forecastFrom(sensorId, target, newest) : null,
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

function opsOf(state: MockState): OpsResponse {
  const slot = grid(state.now);
  const sensors = fleetOf(state).length;
  return {
    now: iso(state.now),
    clockSpeed: state.clockSpeed,
    isDemo: true,
    stepSeconds: STEP_SECONDS,
    horizon: HORIZON,
    source: {
      newestReadingAt: iso(grid(state.now - state.silentSeconds * 1000)),
      ageSeconds: state.silentSeconds + (state.now - slot) / 1000,
      isStandby: true,
      isReceiving: state.sourceError === null,
      lagBytes: 18_432,
      error: state.sourceError,
    },
    cycles: Array.from({ length: 5 }, (_, i) => ({
      slot: iso(slot - i * STEP_MS),
      openedAt: iso(slot - i * STEP_MS + 1000),
      fannedOutAt: iso(slot - i * STEP_MS + 1200),
      sensors,
      shards: 1,
      issued: Math.max(0, sensors - 4),
      baseline: Math.min(sensors, 1),
      refused: sensors > 4 ? 3 : 0,
      expired: 0,
    })),
    queue: [
      { name: "forecast", waiting: 0, active: 1, failed: 0 },
      { name: "score", waiting: 2, active: 0, failed: 0 },
    ],
    database: { bytes: 84_300_000, tables: [{ name: "forecasts", bytes: 61_000_000, rows: 91_240 }] },
    sensors,
    codeVersion: "0.1.0-mock",
  };
}

function readingsOf(state: MockState, sensorId: string, from: number, to: number): ReadingsResponse {
  const end = Math.min(to, newestAt(state, sensorId));
  const at: number[] = [];
  for (let one = grid(from) + STEP_MS; one <= end; one += STEP_MS) at.push(one);
  const targets = TARGETS.map(({ target, unit }) => ({
    target,
    unit,
    value: at.map((one) => valueAt(sensorId, target, one)),
  }));
  return { sensorId, stepSeconds: STEP_SECONDS, from: iso(from), to: iso(to), at: at.map(iso), targets };
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
  for (let at = grid(from) + STEP_MS; at <= to && at - lead * STEP_MS <= newestAt(state, sensorId); at += STEP_MS) {
    points.push({ at, origin: at - lead * STEP_MS, forecast: forecastFrom(sensorId, target, at - lead * STEP_MS) });
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

function accuracyOf(state: MockState, sensorId: string, groupBy: "lead" | "day" | "model"): AccuracyResponse {
  const group = (key: string, lead: number | null, mae: number, n: number) => {
    const persistenceMae = mae * (1.12 + 0.4 * seeded(sensorId + key));
    const seasonalNaiveMae = mae * (1.5 + seeded(key));
    return {
      key,
      lead,
      n,
      mae,
      rmse: mae * 1.4,
      pinball: mae * 0.36,
      coverage: coverageOf(sensorId + key, n),
      persistenceMae,
      seasonalNaiveMae,
      skillPersistence: 1 - mae / persistenceMae,
      skillSeasonalNaive: 1 - mae / seasonalNaiveMae,
    };
  };
  const days = Array.from({ length: 7 }, (_, i) => iso(state.now - (6 - i) * 86_400_000).slice(0, 10));
  const has = sensorId !== "room8";
  return {
    sensorId,
    from: iso(state.now - 7 * 86_400_000),
    to: iso(state.now),
    groupBy,
    targets: TARGETS.map(({ target, unit }) => {
      const scale = target === "temperature" ? 0.06 : 0.35;
      const groups =
        groupBy === "lead"
          ? Array.from({ length: HORIZON }, (_, i) => group(String(i + 1), i + 1, scale * (i + 1) ** 0.6, 1008))
          : groupBy === "day"
            ? days.map((day) => group(day, null, scale * (2.4 + 1.6 * seeded(sensorId + day)), 3456))
            : [group(`${sensorId}-2016w17`, null, scale * 3, 24_192)];
      return { target, unit, overall: has ? group("all", null, scale * 3, 24_192) : null, groups: has ? groups : [] };
    }),
  };
}

function modelsOf(state: MockState, sensorId: string | null) {
  const day = grid(state.now) - 3 * 86_400_000;
  const model = (
    id: string,
    week: number,
    status: "champion" | "retired" | "challenger",
    reason: string,
    at: number,
  ) => ({
    modelId: `${id}-2016w${week}`,
    sensorId: id,
    status,
    statusReason: reason,
    modelSha256: sha(`${id}${week === 17 ? "" : week}`),
    createdAt: iso(at),
    promotedAt: status === "challenger" ? null : iso(at + 3_600_000),
    retiredAt: status === "retired" ? iso(day) : null,
    targets: TARGETS.map(({ target }) => target),
    stepSeconds: STEP_SECONDS,
    contextLength: 96,
    horizon: HORIZON,
    training: {
      from: "2016-01-11T16:00:00.000Z",
      to: iso(at),
      windows: 15_800,
      seed: 7,
      engine: "wasm-simd 1",
      cpuSeconds: 21.4,
      dataSha256: sha(`${id}data`),
    },
    metrics: Object.fromEntries(
      TARGETS.map(({ target }) => {
        const mae = (target === "temperature" ? 0.18 : 0.9) * (0.8 + 0.4 * seeded(id + target));
        const metrics = {
          mae,
          pinball: mae * 0.36,
          coverage: 0.79,
          ridgeMae: mae * 1.05,
          ridgePinball: mae * 0.38,
          persistenceMae: mae * 1.5,
        };
        return [target, metrics];
      }),
    ),
    codeVersion: "0.1.0-mock",
  });
  const ids = sensorId === null ? sensorIds : [sensorId];
  return ids
    .filter((id) => id !== "room7" && id !== "room8")
    .flatMap((id) => [
      model(id, 18, "challenger", "scored beside the champion: 96 of 400 pairs", day + 2 * 86_400_000),
      model(id, 17, "champion", "won 412 pairs, p = 0.003", day),
      model(id, 14, "retired", `replaced by ${id}-2016w17`, day - 21 * 86_400_000),
    ]);
}

const notFound = (detail: string): Answer => ({
  status: 404,
  body: { type: "about:blank", title: "Not found", status: 404, detail, code: "notFound" },
});

/** Answers one GET as the API would; every 200 has passed the contract. */
export function answer(state: MockState, url: URL): Answer {
  const { pathname, searchParams: query } = url;
  if (state.failing !== null && pathname.includes(state.failing)) {
    const detail = "The predictor database did not answer within 5,000 ms.";
    return {
      status: 503,
      body: { type: "about:blank", title: "Database unavailable", status: 503, detail, code: "databaseUnavailable" },
    };
  }
  if (pathname === "/v1/ops") return { status: 200, body: OpsResponse.parse(opsOf(state)) };
  if (pathname === "/v1/models") {
    return { status: 200, body: ModelPage.parse({ items: modelsOf(state, query.get("sensorId")), nextCursor: null }) };
  }
  if (pathname === "/v1/sensors") {
    const all = fleetOf(state);
    const start = Number(query.get("cursor") ?? 0);
    const items = all.slice(start, start + PAGE).map((id) => sensorOf(state, id));
    const nextCursor = start + PAGE < all.length ? String(start + PAGE) : null;
    return { status: 200, body: SensorPage.parse({ items, nextCursor }) };
  }
  const [, id, rest] = /^\/v1\/sensors\/([^/]+)(?:\/(\w+))?$/.exec(pathname) ?? [];
  const sensorId = decodeURIComponent(id ?? "");
  if (!fleetOf(state).includes(sensorId)) return notFound(`There is no sensor "${sensorId}".`);
  const from = Date.parse(query.get("from") ?? iso(state.now - 86_400_000));
  const to = Date.parse(query.get("to") ?? iso(state.now));
  if (rest === undefined) return { status: 200, body: Sensor.parse(sensorOf(state, sensorId)) };
  if (rest === "readings") return { status: 200, body: ReadingsResponse.parse(readingsOf(state, sensorId, from, to)) };
  if (rest === "accuracy") {
    const groupBy = query.get("group_by");
    const group = groupBy === "day" || groupBy === "model" ? groupBy : "lead";
    return { status: 200, body: AccuracyResponse.parse(accuracyOf(state, sensorId, group)) };
  }
  if (rest !== "forecasts") return notFound(`There is no ${pathname}.`);
  const lead = query.get("lead");
  const named = TARGETS.filter((one) => query.get("target") === null || one.target === query.get("target"));
  if (lead !== null) {
    const items = named.map((target) => leadSeriesOf(state, sensorId, target, Number(lead), from, to));
    return { status: 200, body: LeadSeriesList.parse({ items, nextCursor: null }) };
  }
  const before = query.get("to");
  const newest = newestAt(state, sensorId);
  const at = before === null ? newest : Math.min(newest, Math.ceil(Date.parse(before) / STEP_MS) * STEP_MS - STEP_MS);
  const items = named.map((target) => forecastFrom(sensorId, target, at)).filter((one) => one !== null);
  return { status: 200, body: ForecastList.parse({ items, nextCursor: null }) };
}
