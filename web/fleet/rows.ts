import type { Coverage, ForecastResponse, Sensor, SensorStatus, SensorTarget } from "../../functions/api/contract.ts";

/** One sensor as the fleet table shows it; times in epoch milliseconds. Pure. */
export type FleetRow = {
  sensorId: string;
  status: SensorStatus;
  statusText: string;
  newestReadingAt: number | null;
  modelId: string | null;
  /** Larger is more urgent; see `attentionOf`. */
  attention: number;
  worstSkill: number | null;
  worstCoverage: number | null;
  targets: FleetTarget[];
};
export type FleetTarget = {
  target: string;
  unit: string;
  lastValue: number | null;
  lastReadingAt: number | null;
  /** As they came: only what is drawn is parsed, by `toPoints`. */
  history: SensorTarget["history"];
  forecast: ForecastResponse | null;
  skill: number | null;
  skillCount: number;
  coverage: Coverage | null;
};

const urgency: Record<SensorStatus, number> = { refused: 4, stale: 3, baseline: 2, waiting: 1, ok: 0 };
/** Fewer scored points than this say little about coverage or skill. */
export const enoughScores = 30;

/** Status first; within one status how far coverage falls short and how badly the forecast loses to persistence. */
export function attentionOf(status: SensorStatus, targets: FleetTarget[]): number {
  let trouble = 0;
  for (const { coverage, skill, skillCount } of targets) {
    if (coverage?.observed != null && coverage.n >= enoughScores) {
      trouble = Math.max(trouble, (coverage.nominal - coverage.observed) * 2);
    }
    if (skill !== null && skillCount >= enoughScores) trouble = Math.max(trouble, -skill);
  }
  return urgency[status] + Math.min(0.99, Math.max(0, trouble));
}

export function toRow(sensor: Sensor): FleetRow {
  const targets = sensor.targets.map(toTarget);
  const skills = targets.flatMap((one) => (one.skill === null ? [] : [one.skill]));
  const observed = targets.flatMap((one) => (one.coverage?.observed == null ? [] : [one.coverage.observed]));
  return {
    sensorId: sensor.sensorId,
    status: sensor.status,
    statusText: sensor.statusText,
    newestReadingAt: sensor.newestReadingAt === null ? null : Date.parse(sensor.newestReadingAt),
    modelId: sensor.modelId,
    attention: attentionOf(sensor.status, targets),
    worstSkill: skills.length === 0 ? null : Math.min(...skills),
    worstCoverage: observed.length === 0 ? null : Math.min(...observed),
    targets,
  };
}

function toTarget(one: SensorTarget): FleetTarget {
  return {
    target: one.target,
    unit: one.unit,
    lastValue: one.lastValue,
    lastReadingAt: one.lastReadingAt === null ? null : Date.parse(one.lastReadingAt),
    history: one.history,
    forecast: one.forecast,
    skill: one.skill.persistence,
    skillCount: one.skill.n,
    coverage: one.forecast?.coverage ?? null,
  };
}

/** The columns of one target with their times in epoch milliseconds. */
export type Points = {
  history: { at: number[]; value: (number | null)[] };
  forecast: { at: number[]; q10: number[]; q50: number[]; q90: number[] } | null;
};

export function toPoints({ history, forecast }: Pick<FleetTarget, "history" | "forecast">): Points {
  const parse = (times: string[]) => times.map((at) => Date.parse(at));
  return {
    history: { at: parse(history.at), value: history.value },
    forecast:
      forecast === null
        ? null
        : { at: parse(forecast.targetAt), q10: forecast.q10, q50: forecast.q50, q90: forecast.q90 },
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

export type SortColumn = "attention" | "sensor" | "age" | "skill" | "coverage" | "model";
export type Sort = { column: SortColumn; isDescending: boolean };
export const byAttention: Sort = { column: "attention", isDescending: true };

const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function compareNumbers(a: number | null, b: number | null, isDescending: boolean): number {
  // What is not known goes last in both directions.
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return isDescending ? b - a : a - b;
}

/** A sorted copy; ties go by sensor id, numbers in it read as numbers (room2 before room10). */
export function sortRows(rows: FleetRow[], { column, isDescending }: Sort): FleetRow[] {
  const compare = (a: FleetRow, b: FleetRow): number => {
    switch (column) {
      case "attention":
        return compareNumbers(a.attention, b.attention, isDescending);
      case "age":
        return compareNumbers(a.newestReadingAt, b.newestReadingAt, isDescending);
      case "skill":
        return compareNumbers(a.worstSkill, b.worstSkill, isDescending);
      case "coverage":
        return compareNumbers(a.worstCoverage, b.worstCoverage, isDescending);
      case "model":
        return (isDescending ? -1 : 1) * byName.compare(a.modelId ?? "\uffff", b.modelId ?? "\uffff");
      case "sensor":
        return (isDescending ? -1 : 1) * byName.compare(a.sensorId, b.sensorId);
    }
  };
  return [...rows].sort((a, b) => compare(a, b) || byName.compare(a.sensorId, b.sensorId));
}

/** Rows whose id, model or status text has every word of `search`, with one of `statuses` (none means all). */
export function filterRows(rows: FleetRow[], search: string, statuses: SensorStatus[]): FleetRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (statuses.length > 0 && !statuses.includes(row.status)) return false;
    if (words.length === 0) return true;
    const text = `${row.sensorId} ${row.modelId ?? ""} ${row.statusText}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The rows to render of `count` equally tall ones: [first, end). */
export function visibleRange(count: number, rowHeight: number, top: number, viewHeight: number, spare = 6) {
  const first = Math.max(0, Math.min(count, Math.floor(top / rowHeight) - spare));
  const end = Math.max(first, Math.min(count, Math.ceil((top + viewHeight) / rowHeight) + spare));
  return { first, end };
}
