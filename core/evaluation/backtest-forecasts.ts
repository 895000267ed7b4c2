import { type Grid, gridLength, toGrid } from "../data/grid.ts";
import type { Readings } from "../data/reading.ts";
import { forecastBaseline } from "../forecast/baseline.ts";
import { conclude, type ModelAnswer } from "../forecast/conclude.ts";
import { fromModelOutput, toModelInput } from "../forecast/infer.ts";
import { planSensor, stepsNeeded } from "../forecast/plan.ts";
import type { Quantiles } from "../forecast/rows.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import type { Forecast, ModelInput, Ports, RegisteredModel } from "../ports.ts";
import { readingsBetween } from "./replay.ts";
import type { TargetPlan } from "./split.ts";

/** One sensor's part of a backtest: its readings in time order, and the plan per target name. */
export type BacktestInput = {
  sensorId: string;
  readings: Readings;
  plans: Map<string, TargetPlan>;
  seed: number;
};

/** What is served, rounded to six decimals, and ridge alone where there is a model. */
export type Made = { served: Quantiles; ridge: Quantiles | null };

/** Forecasts per origin and, in the fleet's order, per target; undefined where there is nothing to forecast from. */
export async function forecastPlan(
  { inference, log }: Pick<Ports, "inference" | "log">,
  settings: ForecastSettings,
  { sensorId, readings, plans }: BacktestInput,
  model: RegisteredModel | null,
  notes: string[],
): Promise<Map<number, (Made | undefined)[]>> {
  const { fleet } = settings;
  const stepMs = fleet.stepSeconds * 1000;
  const steps = stepsNeeded(model ? [model] : [], settings);
  const times = [...new Set([...plans.values()].flatMap((plan) => plan.issuedAt))].sort((a, b) => a - b);
  const jobs = times.map((at) => {
    const slot = new Date(at);
    const window = readingsBetween(readings, at - steps * stepMs, at);
    const plan = planSensor(sensorId, window, { champion: model, challengers: [] }, slot, steps, settings);
    const isServed = model !== null && "targets" in plan && plan.targets.some(({ serve }) => serve === "model");
    const encoded = isServed ? toModelInput(model.manifest, plan.sensor, fleet.targets) : null;
    return { at, slot, plan, encoded };
  });
  const inputs: ModelInput[] = jobs.flatMap(({ encoded }) => (encoded ? [encoded] : []));
  const outputs = await inference.run(inputs);
  const instead = new Map<string, { count: number; why: string }>();
  let next = 0;
  const made = new Map<number, (Made | undefined)[]>();
  for (const { at, slot, plan, encoded } of jobs) {
    const output = encoded ? outputs[next++]! : null;
    const answers = new Map<string, ModelAnswer>();
    if (model !== null && encoded && output) {
      answers.set(model.modelId, output.ok ? { ok: true, output, last: encoded.last } : output);
    }
    const rows =
      "targets" in plan
        ? conclude({ plan, slot, decidedAt: slot, answers, adaptations: new Map(), settings, log }).forecasts
        : [];
    const perTarget = fleet.targets.map(({ name }, k): Made | undefined => {
      if (!plans.has(name)) return undefined;
      const row = rows.find((one) => one.target === name);
      if (row?.method !== "lstm") {
        const why = row?.reasonText ?? ("targets" in plan ? `${name}: nothing to go by` : plan.message);
        const reason = row?.reason ?? ("targets" in plan ? "refused" : plan.reason);
        const key = `${name}: ${row?.baseline ?? "the last value"} (${reason})`;
        instead.set(key, { count: (instead.get(key)?.count ?? 0) + 1, why: instead.get(key)?.why ?? why });
      }
      if (row === undefined) {
        const served = lastResort(readings, k, at, settings);
        return served && { served, ridge: null };
      }
      const served = shift(row, at, fleet.horizon);
      if (row.method !== "lstm" || model === null || !encoded || !output?.ok || !output.ridge)
        return { served, ridge: null };
      const ridge = fromModelOutput(model.manifest, output.ridge, encoded.last, name, fleet.horizon);
      return { served, ridge: shift({ ...row, ...ridge }, at, fleet.horizon) };
    });
    made.set(at, perTarget);
  }
  for (const [what, { count, why }] of instead) {
    notes.push(`${sensorId} ${what} for ${count} of ${times.length} forecasts: ${why}`);
  }
  return made;
}

/** The row's leads counted from `at` instead of its origin, which may be earlier; the last known lead stands for those beyond. */
function shift(row: Forecast, at: number, horizon: number): Quantiles {
  const late = Math.round((at - row.origin.getTime()) / (row.stepSeconds * 1000));
  const pick = (values: number[]) =>
    Array.from({ length: horizon }, (_, h) => round(values[Math.min(h + late, values.length - 1)]!));
  return { q10: pick(row.q10), q50: pick(row.q50), q90: pick(row.q90) };
}

const decimals = 1e6;
const round = (value: number) => Math.round(value * decimals) / decimals;

/** A baseline from all that was ever measured of target `k` up to `at`; undefined when nothing was. */
function lastResort(readings: Readings, k: number, at: number, { fleet }: ForecastSettings): Quantiles | undefined {
  const { targets, stepSeconds, horizon } = fleet;
  const known = readingsBetween(readings, at - 400 * 86_400_000, at);
  const grid: Grid = toGrid(known, [targets[k]!], stepSeconds, { upTo: new Date(at), ...fromOf(known) });
  const made = forecastBaseline(grid.columns[0]!, gridLength(grid) - 1, horizon, stepSeconds, targets[k]!);
  return made ? { q10: made.q10.map(round), q50: made.q50.map(round), q90: made.q90.map(round) } : undefined;
}

function fromOf({ at }: Readings): { from?: Date } {
  return at.length === 0 ? {} : { from: new Date(at[0]!) };
}
