import { pinballLoss } from "../evaluation/metrics.ts";
import type { Quantiles } from "./rows.ts";

/**
 * How forecasts follow what became known. `prior`: start weight of each expert, all positive, together 1; `halfLifeSteps`: after
 * this an outcome counts half for the weights; `widthRate`: how far a log width moves on an outcome, per grid step since the last
 * forecast, at most `widthRateMost`.
 */
export type OnlineSettings = {
  prior: number[];
  halfLifeSteps: number;
  widthRate: number;
  widthRateMost: number;
};

/** Of one sensor and target. Leads share their weights in groups; widths are each lead's own, as log factors. */
export type OnlineState = {
  groups: { regret: number[]; variance: number[]; largest: number[]; lossScale: number }[];
  widths: { lower: number[]; upper: number[] };
};

/** What was forecast from one origin, as needed to learn from it later. */
export type OnlineForecast = { served: Quantiles; mixed: Quantiles; experts: Quantiles[]; weights: number[][] };

const widthLimit = 1.2;
const missRate = 0.1;
const levels = [
  { key: "q10", level: 0.1 },
  { key: "q50", level: 0.5 },
  { key: "q90", level: 0.9 },
] as const;

/** Last leads (1-based) of the groups: the first lead, then up to a quarter, a half and all of the horizon. */
export function leadGroups(horizon: number): number[] {
  return [...new Set([1, Math.ceil(horizon / 4), Math.ceil(horizon / 2), horizon])];
}

/** The state before anything is known: the prior weights, widths as they come. */
export function startOnline(horizon: number, { prior }: Pick<OnlineSettings, "prior">): OnlineState {
  const zeros = () => new Array<number>(prior.length).fill(0);
  return {
    groups: leadGroups(horizon).map(() => ({ regret: zeros(), variance: zeros(), largest: zeros(), lossScale: 0 })),
    widths: { lower: new Array<number>(horizon).fill(0), upper: new Array<number>(horizon).fill(0) },
  };
}

/** Mixes the experts (the same order as the prior's) and adjusts the widths; q10 <= q50 <= q90 if the experts keep it. */
export function forecastOnline(state: OnlineState, settings: OnlineSettings, experts: Quantiles[]): OnlineForecast {
  const horizon = experts[0]!.q50.length;
  const ends = leadGroups(horizon);
  const weights = state.groups.map((group) => weightsOf(group, settings.prior));
  const weightsAt = (h: number) => weights[ends.findIndex((end) => h < end)]!;
  const mix = (key: keyof Quantiles) =>
    Array.from({ length: horizon }, (_, h) => weightsAt(h).reduce((sum, w, j) => sum + w * experts[j]![key][h]!, 0));
  const mixed = { q10: mix("q10"), q50: mix("q50"), q90: mix("q90") };
  const served = {
    q10: mixed.q50.map((middle, h) => middle - (middle - mixed.q10[h]!) * Math.exp(state.widths.lower[h]!)),
    q50: mixed.q50,
    q90: mixed.q50.map((middle, h) => middle + (mixed.q90[h]! - middle) * Math.exp(state.widths.upper[h]!)),
  };
  return { served, mixed, experts, weights };
}

/**
 * Learns from the leads of one group, once the last of them is due: `actual` [horizon] with NaN where nothing was measured;
 * `elapsedSteps` since the forecast before this one. Outcomes must come in the order of their origins.
 * Weights: Bernstein online aggregation on linearised pinball losses (Wintenberger 2017), with forgetting.
 * Widths: adaptive conformal inference, log width += rate (miss - 0.1) (Gibbs & Candes 2021).
 */
export function learnOnline(
  state: OnlineState,
  settings: OnlineSettings,
  forecast: OnlineForecast,
  group: number,
  actual: ArrayLike<number>,
  elapsedSteps: number,
): void {
  const ends = leadGroups(forecast.served.q50.length);
  const from = group === 0 ? 0 : ends[group - 1]!;
  const regret = new Array<number>(settings.prior.length).fill(0);
  const rate = Math.min(settings.widthRateMost, settings.widthRate * elapsedSteps);
  let loss = 0;
  let known = 0;
  for (let h = from; h < ends[group]!; h++) {
    const value = actual[h]!;
    if (Number.isNaN(value)) continue;
    known++;
    for (const { key, level } of levels) {
      const mixed = forecast.mixed[key][h]!;
      loss += pinballLoss(value - mixed, level) / levels.length;
      const slope = (value < mixed ? 1 : 0) - level;
      forecast.experts.forEach((expert, j) => {
        regret[j]! += (slope * (mixed - expert[key][h]!)) / levels.length;
      });
    }
    const { lower, upper } = state.widths;
    const move = (width: number, isMissed: boolean) =>
      Math.max(-widthLimit, Math.min(widthLimit, width + rate * ((isMissed ? 1 : 0) - missRate)));
    lower[h] = move(lower[h]!, value < forecast.served.q10[h]!);
    upper[h] = move(upper[h]!, value > forecast.served.q90[h]!);
  }
  if (known === 0) return;
  // Forecasts that overlap tell the same story: together, those of one horizon count once.
  const share = Math.min(1, elapsedSteps / forecast.served.q50.length);
  const each = regret.map((sum) => sum / known);
  learnWeights(state.groups[group]!, settings, each, { loss: loss / known, share, elapsedSteps });
}

/** The group's weights: prior times exp(rate regret), the rate from the second-order bound of each expert. */
function weightsOf({ regret, variance, largest }: OnlineState["groups"][number], prior: number[]): number[] {
  const logs = prior.map(
    (weight, j) => Math.log(weight) + rateOf(variance[j]!, largest[j]!, prior.length) * regret[j]!,
  );
  const highest = Math.max(...logs);
  const raw = logs.map((log) => Math.exp(log - highest));
  const total = raw.reduce((sum, value) => sum + value, 0);
  return raw.map((value) => value / total);
}

function rateOf(variance: number, largest: number, experts: number): number {
  return variance === 0 ? 0 : Math.min(1 / (2 * largest), Math.sqrt(Math.log(experts) / variance));
}

function learnWeights(
  group: OnlineState["groups"][number],
  { halfLifeSteps, prior }: OnlineSettings,
  regret: number[],
  { loss, share, elapsedSteps }: { loss: number; share: number; elapsedSteps: number },
): void {
  const kept = 0.5 ** (elapsedSteps / halfLifeSteps);
  group.lossScale = group.lossScale === 0 ? loss : kept * group.lossScale + (1 - kept) * loss;
  // A forecast that was perfect so far gives no scale to measure regrets by.
  if (group.lossScale <= 0) return;
  for (let j = 0; j < prior.length; j++) {
    const one = regret[j]! / group.lossScale;
    const rate = rateOf(group.variance[j]!, group.largest[j]!, prior.length);
    group.largest[j] = Math.max(kept * group.largest[j]!, Math.abs(one));
    group.variance[j] = kept * group.variance[j]! + share * one * one;
    group.regret[j] = kept * group.regret[j]! + share * (one - rate * one * one);
  }
}
