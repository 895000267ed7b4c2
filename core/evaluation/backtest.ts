import { gridIndex, toGrid } from "../data/grid.ts";
import { pickQuantiles, type Quantiles } from "../data/quantiles.ts";
import type { RunModels } from "../forecast/serve.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import { leadGroups, placesOf } from "../model/leads.ts";
import { stepsPerDay } from "../time.ts";
import { forecastOnline } from "./online.ts";
import {
  type BacktestInput,
  boundsOf,
  insteadNotes,
  type PlannedForecast,
  plannedForecasts,
  plannedTimes,
} from "./planned.ts";
import { replay } from "./replay.ts";
import { measureSeries, type SeriesMetrics } from "./summary.ts";
import type { Trained } from "./trainings.ts";
import { createYardstick, type YardstickName } from "./yardstick.ts";

/** Names of the table's rows: what is served first, then what it is compared with. */
export const backtestMethods = ["online", "lstm", "ridge", "persistence", "seasonalNaive", "climatology"] as const;
export type BacktestMethod = (typeof backtestMethods)[number];

export type MethodMetrics = Partial<Record<BacktestMethod, SeriesMetrics>>;

/** A forecast as it is written: one element per lead, rounded to six decimals. */
export type IssuedForecast = Quantiles & { target: string; issuedAt: Date };

export type SensorBacktest = {
  sensorId: string;
  forecasts: IssuedForecast[];
  /** Per target: metrics of each method that could forecast, over all leads and over each group of them. */
  metrics: { target: string; byMethod: MethodMetrics; byLeads: { leads: number[]; byMethod: MethodMetrics }[] }[];
  /** Why something is missing or by a baseline; empty when all went well. */
  notes: string[];
  cpuSeconds: number | null;
};

/**
 * Forecasts at each origin of the plan with what was known then, by the very code that serves and with what was trained
 * for the sensor's cut. Where the model cannot, a baseline does; a target without any measurement has no forecast.
 * `isOnline`: and once more as a system that serves every step and learns from outcomes.
 */
export async function backtestSensor(
  given: ForecastSettings,
  input: BacktestInput,
  { sensor: trained, notes: trainingNotes }: Trained,
  isOnline: boolean,
): Promise<SensorBacktest> {
  // A fleet's network does without the days that a young sensor has not seen. Serving wants half of what the sensor had
  // when its part was made; who is judged here has had more since, and every planned moment counts.
  const settings = { ...given, context: { ...given.context, minimumHistoryShare: 0 } };
  const { fleet } = settings;
  const { readings } = input;
  const grid = toGrid(readings, fleet.targets, fleet.stepSeconds, boundsOf(readings, fleet.stepSeconds));
  const notes = [...trainingNotes];
  if (input.plans.size === 0) notes.push(`${input.sensorId}: no model and no forecast: nothing was ever measured`);
  const model = trained?.champion ?? null;
  const times = plannedTimes(input);
  const instead = insteadNotes();
  const issued = new Map<number, (PlannedForecast | undefined)[]>();
  const run: RunModels = trained?.run ?? (async () => []);
  const models = { champion: model, challenger: null };
  for await (const served of replay(run, settings, input, times, models, new Map(), trained?.encode)) {
    issued.set(served.slot.getTime(), plannedForecasts(served, settings, input, instead));
  }
  notes.push(...instead.texts(input.sensorId, times.length));
  const online = trained && isOnline ? await forecastOnline(trained, settings, input) : null;

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
    const fitEnd = Math.max(0, gridIndex(grid, new Date(plan.validationEnd)));
    const yardstick = (method: YardstickName) =>
      origins.map(createYardstick(method, column, fitEnd, fleet.leads, fleet.stepSeconds));
    const asTrained = made.map(({ served, lstm }) => lstm ?? served);
    const written = made.map(({ at }, j) => online?.get(at)?.[k]?.served ?? asTrained[j]!);
    const methods: Partial<Record<BacktestMethod, Quantiles[]>> = {
      ...(isOnline ? { online: written } : {}),
      lstm: asTrained,
      ...(model === null ? {} : { ridge: made.map(({ served, ridge }) => ridge ?? served) }),
      persistence: yardstick("persistence"),
      ...(season === null ? {} : { seasonalNaive: yardstick("seasonalNaive"), climatology: yardstick("climatology") }),
    };
    const measure = (leads: number[]): MethodMetrics => {
      const places = placesOf(fleet.leads, leads);
      const measured = Object.entries(methods).map(([method, ofMethod]) => {
        const some = ofMethod.map((one) => pickQuantiles(one, places));
        return [method, measureSeries(column, origins, leads, some, scaling)];
      });
      return Object.fromEntries(measured);
    };
    made.forEach(({ at }, j) => {
      forecasts.push({ target: name, issuedAt: new Date(at), ...written[j]! });
    });
    const byLeads = leadGroups(fleet.leads).map((leads) => ({ leads, byMethod: measure(leads) }));
    metrics.push({ target: name, byMethod: measure(fleet.leads), byLeads });
  }
  const cpuSeconds = trained?.cpuSeconds ?? null;
  return { sensorId: input.sensorId, forecasts, metrics, notes, cpuSeconds };
}
