import { gridIndex, toGrid } from "../data/grid.ts";
import type { Quantiles } from "../data/quantiles.ts";
import { type Readings, sortReadings } from "../data/reading.ts";
import type { RunModels } from "../forecast/serve.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import type { TrainProgress } from "../model/training.ts";
import type { Ports } from "../ports.ts";
import { stepsPerDay } from "../time.ts";
import { forecastOnline } from "./online.ts";
import { type BacktestInput, insteadNotes, type PlannedForecast, plannedForecasts, plannedTimes } from "./planned.ts";
import { replay } from "./replay.ts";
import { measureSeries, type SeriesMetrics } from "./summary.ts";
import { type TrainRun, trainForPlan, trainOnTheWay } from "./trainings.ts";
import { createYardstick, type YardstickName } from "./yardstick.ts";

export type BacktestPorts = Pick<Ports, "trainer" | "inference" | "store">;

/** Names of the table's rows: what is served first, then what it is compared with. */
export const backtestMethods = ["online", "lstm", "ridge", "persistence", "seasonalNaive"] as const;
export type BacktestMethod = (typeof backtestMethods)[number];

/** A forecast as it is written: one element per lead, rounded to six decimals. */
export type IssuedForecast = Quantiles & { target: string; issuedAt: Date };

export type SensorBacktest = {
  sensorId: string;
  forecasts: IssuedForecast[];
  /** Per target: metrics of each method that could forecast. */
  metrics: { target: string; byMethod: Partial<Record<BacktestMethod, SeriesMetrics>> }[];
  /** Why something is missing or by a baseline; empty when all went well. */
  notes: string[];
  cpuSeconds: number | null;
};

/** `growth`: a challenger is trained when the history has grown by this share; 0: never. */
export type OnlineOptions = { growth: number };

/**
 * Trains with what was known at the end of validation and forecasts at each origin of the plan with what was known
 * then, by the very code that serves. Where the model cannot, a baseline does; a target without any measurement has no
 * forecast.
 * `online`: and once more as a system that serves every step, learns from outcomes and trains again on the way.
 */
export async function backtestSensor(
  ports: BacktestPorts,
  settings: ForecastSettings,
  given: BacktestInput & { online: OnlineOptions | null },
  onProgress: (progress: TrainProgress) => void,
  signal?: AbortSignal,
): Promise<SensorBacktest> {
  const { fleet } = settings;
  const readings = sortReadings(given.readings);
  const input = { ...given, readings };
  const grid = toGrid(readings, fleet.targets, fleet.stepSeconds, boundsOf(readings, fleet.stepSeconds));
  const notes: string[] = [];
  if (input.plans.size === 0) notes.push(`${input.sensorId}: no model and no forecast: nothing was ever measured`);
  const run: TrainRun = { ports, settings, input, notes, onProgress, signal };
  const model = await trainForPlan(run);
  const times = plannedTimes(input);
  const instead = insteadNotes();
  const issued = new Map<number, (PlannedForecast | undefined)[]>();
  const answer: RunModels = (inputs) => ports.inference.run(inputs);
  for await (const served of replay(answer, settings, input, times, { champion: model, challenger: null }, new Map())) {
    issued.set(served.slot.getTime(), plannedForecasts(served, settings, input, instead));
  }
  notes.push(...instead.texts(input.sensorId, times.length));
  const until = times.at(-1) ?? 0;
  const challenges = model && given.online ? await trainOnTheWay(run, model, { until, ...given.online }) : [];
  const online = model && given.online ? await forecastOnline(answer, settings, input, model, challenges) : null;

  const season = stepsPerDay(fleet.stepSeconds);
  const forecasts: IssuedForecast[] = [];
  const metrics: SensorBacktest["metrics"] = [];
  for (const [k, { name }] of fleet.targets.entries()) {
    const plan = input.plans.get(name);
    if (plan === undefined) continue;
    const column = grid.columns[k]!;
    const made = plan.issuedAt.flatMap((at) => {
      const row = issued.get(at)?.[k];
      return row ? [{ at, ...row }] : [];
    });
    if (made.length === 0) continue;
    const origins = made.map(({ at }) => gridIndex(grid, new Date(at)));
    const scaling = { trainEnd: gridIndex(grid, new Date(plan.trainEnd)), season };
    const measure = (ofMethod: Quantiles[]) => measureSeries(column, origins, ofMethod, scaling);
    const fitEnd = Math.max(0, gridIndex(grid, new Date(plan.validationEnd)));
    const yardstick = (method: YardstickName) =>
      origins.map(createYardstick(method, column, fitEnd, fleet.horizon, fleet.stepSeconds));
    const [persistence, seasonalNaive] = [yardstick("persistence"), yardstick("seasonalNaive")];
    const asTrained = made.map(({ served, lstm }) => lstm ?? served);
    const byMethod: Partial<Record<BacktestMethod, SeriesMetrics>> = {
      lstm: measure(asTrained),
      persistence: measure(persistence),
    };
    if (season !== null) byMethod.seasonalNaive = measure(seasonalNaive);
    if (model !== null) byMethod.ridge = measure(made.map(({ served, ridge }) => ridge ?? served));
    const written = made.map(({ at }, j) => online?.get(at)?.[k]?.served ?? asTrained[j]!);
    if (given.online) byMethod.online = measure(written);
    made.forEach(({ at }, j) => {
      forecasts.push({ target: name, issuedAt: new Date(at), ...written[j]! });
    });
    metrics.push({ target: name, byMethod });
  }
  const cpuSeconds = model?.manifest.training.cpuSeconds ?? null;
  return { sensorId: input.sensorId, forecasts, metrics, notes, cpuSeconds };
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
