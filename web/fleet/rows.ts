import type {
  FleetTarget as ApiTarget,
  FleetCrossing,
  FleetPage,
  FleetSensor,
} from "../../functions/api/contract/fleet.ts";
import type { Coverage } from "../../functions/api/contract/forecasts.ts";
import type { SensorStatus } from "../../functions/api/contract/sensors.ts";

/** One sensor as the fleet table shows it; times in epoch milliseconds. Pure. */
export type FleetRow = {
  sensorId: string;
  name: string | null;
  group: string | null;
  status: SensorStatus;
  statusText: string;
  modelId: string | null;
  /** The likeliest of its limits within a day; null where there is none, or nobody can tell. */
  crossing: FleetCrossing | null;
  targets: FleetTarget[];
};
export type FleetTarget = {
  target: string;
  unit: string;
  lastValue: number | null;
  lastReadingAt: number | null;
  points: Points;
  stepSeconds: number;
  skill: number | null;
  coverage: Coverage;
};

/** Fewer scored points than this say little about coverage or skill. */
export const enoughScores = 30;

/** The row of a sensor whose histories lie on its page's `grid`. */
export function toRow(sensor: FleetSensor, grid: FleetPage["grid"]): FleetRow {
  const { sensorId, name = null, group = null, status, statusText, modelId, crossing = null, newestReadingAt } = sensor;
  const newest = newestReadingAt === null ? null : Date.parse(newestReadingAt);
  return {
    ...{ sensorId, name, group, status, statusText, modelId, crossing },
    targets: sensor.targets.map((one) => toTarget(one, grid, newest)),
  };
}

function toTarget(one: ApiTarget, grid: FleetPage["grid"], newest: number | null): FleetTarget {
  const { target, unit, lastValue, lastReadingAt, skill, coverage, forecast } = one;
  return {
    ...{ target, unit, lastValue, skill, coverage },
    lastReadingAt: lastReadingAt === null ? newest : Date.parse(lastReadingAt),
    points: toPoints(one, grid),
    stepSeconds: forecast?.stepSeconds ?? 0,
  };
}

/** The columns of one target with their times in epoch milliseconds. */
export type Points = {
  history: { at: number[]; value: (number | null)[] };
  forecast: { at: number[]; q10: number[]; q50: number[]; q90: number[] } | null;
};

function toPoints({ history, forecast }: Pick<ApiTarget, "history" | "forecast">, grid: FleetPage["grid"]): Points {
  const from = Date.parse(grid.from);
  return {
    history: { at: history.map((_, i) => from + i * grid.stepSeconds * 1000), value: history },
    forecast: forecast && {
      at: forecast.leads.map((lead) => Date.parse(forecast.origin) + lead * forecast.stepSeconds * 1000),
      q10: forecast.q10,
      q50: forecast.q50,
      q90: forecast.q90,
    },
  };
}

/**
 * What is forecast for the moment nearest to `aheadMs` after `present`; null when none lies within half an hour, or one
 * and a half steps, of that.
 */
export function ahead({ forecast }: Pick<Points, "forecast">, present: number, aheadMs: number, stepMs: number) {
  if (forecast === null) return null;
  const off = forecast.at.map((at) => Math.abs(at - present - aheadMs));
  const index = off.indexOf(Math.min(...off));
  if (index < 0 || off[index]! > Math.max(halfHourMs, 1.5 * stepMs)) return null;
  return { at: forecast.at[index]!, q10: forecast.q10[index]!, q50: forecast.q50[index]!, q90: forecast.q90[index]! };
}

const halfHourMs = 1_800_000;

export type SortColumn = "attention" | "sensor" | "age" | "chance" | "skill" | "coverage" | "model";
export type Sort = { column: SortColumn; isDescending: boolean };
export const byAttention: Sort = { column: "attention", isDescending: true };

/** The sort as the API takes it: what is most urgent is first there. */
export function toApiSort({ column, isDescending }: Sort): string {
  if (column === "attention" || column === "chance") return `${isDescending ? "" : "-"}${column}`;
  return `${isDescending ? "-" : ""}${column === "sensor" ? "sensorId" : column}`;
}

/** The rows to render of `count` equally tall ones: [first, end). */
export function visibleRange(count: number, rowHeight: number, top: number, viewHeight: number, spare = 6) {
  const first = Math.max(0, Math.min(count, Math.floor(top / rowHeight) - spare));
  const end = Math.max(first, Math.min(count, Math.ceil((top + viewHeight) / rowHeight) + spare));
  return { first, end };
}
