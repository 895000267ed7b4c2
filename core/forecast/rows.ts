import type { SensorGrid } from "../data/context.ts";
import type { Quantiles } from "../data/quantiles.ts";
import { resolutionOf, rounderOf, roundQuantiles } from "../data/resolution.ts";
import { type BaselineForecast, lastObserved, seasonalNaive } from "../mix/baselines.ts";
import { type Mix, quantilesOfMix } from "../mix/mix.ts";
import type { RegisteredModel } from "../model/registered.ts";
import type { Forecast, ForecastReason } from "./forecast.ts";
import { servedLeads } from "./plan.ts";
import type { ForecastSettings } from "./settings.ts";

/** What every stored forecast of a sensor in a slot shares. */
export type RowBase = { sensorId: string; slot: Date; issuedAt: Date; sensor: SensorGrid; settings: ForecastSettings };

/** What of its input a model did without, and of how many others it was told. */
type Known = Pick<Forecast, "imputedSteps" | "neighbours">;

/** The served forecast of a model, mixed with the other experts. */
export function modelRow(base: RowBase, k: number, model: RegisteredModel, mix: Mix, known: Known): Forecast {
  const target = base.settings.fleet.targets[k]!;
  const quantiles = roundQuantiles(quantilesOfMix(mix, target), rounderOf(target));
  return { ...ofModel(base, k, model, known), ...quantiles, mix, isServed: true };
}

/** The forecast of a challenger alone, to be scored. */
export function shadowRow(
  base: RowBase,
  k: number,
  model: RegisteredModel,
  quantiles: Quantiles,
  known: Known,
): Forecast {
  const issued = roundQuantiles(quantiles, rounderOf(base.settings.fleet.targets[k]!));
  return { ...ofModel(base, k, model, known), ...issued, mix: null, isServed: false };
}

function ofModel(base: RowBase, k: number, { modelId, modelSha256, manifest }: RegisteredModel, known: Known) {
  const served = { method: "lstm", baseline: null, reason: null, reasonText: null } as const;
  return {
    ...provenance(base, k, servedLeads(manifest, base.settings.fleet)),
    ...served,
    modelKey: modelId,
    modelId,
    modelSha256,
    ...known,
  };
}

/** A forecast by a baseline, with the reason why it is not the model's. */
export function baselineRow(
  base: RowBase,
  k: number,
  made: BaselineForecast,
  why: { reason: ForecastReason; message: string; imputedSteps: number },
): Forecast {
  return {
    ...provenance(base, k, base.settings.fleet.leads),
    ...roundQuantiles(made, rounderOf(base.settings.fleet.targets[k]!)),
    mix: null,
    modelKey: made.name,
    isServed: true,
    method: "baseline",
    baseline: made.name,
    reason: why.reason,
    reasonText: why.message,
    modelId: null,
    modelSha256: null,
    imputedSteps: why.imputedSteps,
    neighbours: null,
  };
}

function provenance({ sensorId, slot, issuedAt, sensor, settings }: RowBase, k: number, leads: number[]) {
  const { fleet, codeVersion } = settings;
  const { name, unit } = fleet.targets[k]!;
  const column = sensor.grid.columns[k]!;
  const round = rounderOf(fleet.targets[k]!);
  const yesterday = seasonalNaive(column, sensor.originIndex, leads, fleet.stepSeconds);
  return {
    sensorId,
    target: name,
    origin: sensor.origin,
    slot,
    issuedAt,
    unit,
    stepSeconds: fleet.stepSeconds,
    sourceWatermark: sensor.watermark,
    codeVersion,
    leads,
    resolution: resolutionOf(fleet.targets[k]!),
    lastValue: round(lastObserved(column, sensor.originIndex)),
    seasonalNaive: yesterday.map((value) => (value === null ? null : round(value))),
  };
}
