import { type Grid, gridLength, toGrid } from "../data/grid.ts";
import type { Quantiles } from "../data/quantiles.ts";
import { type Readings, readingsBetween } from "../data/reading.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { ServedSlot } from "../forecast/serve.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import { forecastBaseline } from "../mix/baselines.ts";
import type { BacktestPlan } from "./split.ts";

/** One sensor's part of a backtest: its readings in time order, and the plan per target name. */
export type BacktestInput = {
  sensorId: string;
  readings: Readings;
  plans: Map<string, BacktestPlan>;
  seed: number;
};

/**
 * What was served, as of a planned moment and rounded to six decimals; network and ridge alone where the model has
 * them.
 */
export type PlannedForecast = { served: Quantiles; lstm: Quantiles | null; ridge: Quantiles | null };

/** Moments of the plan, epoch ms, ascending. */
export function plannedTimes({ plans }: BacktestInput): number[] {
  return [...new Set([...plans.values()].flatMap((plan) => plan.issuedAt))].sort((a, b) => a - b);
}

/**
 * Forecasts per target in the fleet's order, undefined where there is nothing to forecast from; `notes` says why no
 * model.
 */
export function plannedForecasts(
  served: ServedSlot,
  settings: ForecastSettings,
  { readings, plans }: BacktestInput,
  notes: InsteadNotes,
): (PlannedForecast | undefined)[] {
  const { fleet } = settings;
  const at = served.slot.getTime();
  const rows = served.ok ? served.forecasts : [];
  return fleet.targets.map(({ name }, k): PlannedForecast | undefined => {
    if (!plans.has(name)) return undefined;
    const row = rows.find((one) => one.target === name);
    if (row?.method !== "lstm") {
      const { reason, why } = row ? { reason: row.reason, why: row.reasonText } : whyNothing(served, name);
      notes.add(`${name}: ${row?.baseline ?? "the last value"} (${reason ?? "unknown"})`, why ?? "unknown");
    }
    if (row === undefined) {
      const made = lastResort(readings, k, at, settings);
      return made && { served: made, lstm: null, ridge: null };
    }
    const [lstm, ridge] = row.mix?.experts ?? [];
    const shifted = (made: Quantiles) => shift(made, row, at, fleet.leads);
    return { served: shifted(row), lstm: lstm ? shifted(lstm) : null, ridge: ridge ? shifted(ridge) : null };
  });
}

function whyNothing(served: ServedSlot, name: string): { reason: string | null; why: string | null } {
  if (!served.ok) {
    return { reason: "internal", why: served.error instanceof Error ? served.error.message : String(served.error) };
  }
  const { status, reason, reasonText } = served.outcome;
  return status === "refused" ? { reason, why: reasonText } : { reason: "refused", why: `${name}: nothing to go by` };
}

/** Counts what was served instead of a model, with the first reason of each kind. */
export type InsteadNotes = { add(what: string, why: string): void; texts(sensorId: string, of: number): string[] };

export function insteadNotes(): InsteadNotes {
  const kinds = new Map<string, { count: number; why: string }>();
  return {
    add(what, why) {
      const known = kinds.get(what);
      kinds.set(what, { count: (known?.count ?? 0) + 1, why: known?.why ?? why });
    },
    texts: (sensorId, of) =>
      [...kinds].map(([what, { count, why }]) => `${sensorId} ${what} for ${count} of ${of} forecasts: ${why}`),
  };
}

/**
 * The wanted leads counted from `at` instead of the row's origin, which may be earlier: between two known leads a point
 * on the line between them, the last known one for those beyond.
 */
function shift(made: Quantiles, { origin, stepSeconds, leads }: Forecast, at: number, wanted: number[]): Quantiles {
  const late = Math.round((at - origin.getTime()) / (stepSeconds * 1000));
  const pick = (values: number[]) => wanted.map((lead) => round(valueAt(leads, values, lead + late)));
  return { q10: pick(made.q10), q50: pick(made.q50), q90: pick(made.q90) };
}

function valueAt(leads: number[], values: number[], lead: number): number {
  const above = leads.findIndex((known) => known >= lead);
  if (above < 0) return values.at(-1)!;
  const below = Math.max(0, above - 1);
  const gap = leads[above]! - leads[below]!;
  if (leads[above] === lead || gap === 0) return values[above]!;
  return values[below]! + ((values[above]! - values[below]!) * (lead - leads[below]!)) / gap;
}

const decimals = 1e6;
const round = (value: number) => Math.round(value * decimals) / decimals;

/** A baseline from all that was ever measured of target `k` up to `at`; undefined when nothing was. */
function lastResort(readings: Readings, k: number, at: number, { fleet }: ForecastSettings): Quantiles | undefined {
  const { targets, stepSeconds, leads } = fleet;
  const known = readingsBetween(readings, at - 400 * 86_400_000, at);
  const grid: Grid = toGrid(known, [targets[k]!], stepSeconds, { upTo: new Date(at), ...fromOf(known) });
  const made = forecastBaseline(grid.columns[0]!, gridLength(grid) - 1, leads, stepSeconds, targets[k]!);
  return made ? { q10: made.q10.map(round), q50: made.q50.map(round), q90: made.q90.map(round) } : undefined;
}

function fromOf({ at }: Readings): { from?: Date } {
  return at.length === 0 ? {} : { from: new Date(at[0]!) };
}

/** Bounds that keep one stray time from stretching the grid: the middle 99.8 % of times, and a tenth on either side. */
export function boundsOf({ at }: Readings, stepSeconds: number): { from?: Date; upTo?: Date } {
  if (at.length === 0) return {};
  const step = stepSeconds * 1000;
  const [low, high] = [at[Math.floor(0.001 * at.length)]!, at[Math.ceil(0.999 * at.length) - 1]!];
  const slack = 0.1 * (high - low) + 100 * step;
  const from = Math.ceil(Math.max(at[0]!, low - slack) / step) * step;
  const upTo = Math.ceil(Math.min(at.at(-1)!, high + slack) / step) * step;
  return { from: new Date(from), upTo: new Date(upTo) };
}
