import { levels } from "../data/quantiles.ts";
import type { ModelManifest } from "../model/manifest.ts";
import { type Expert, experts } from "./experts.ts";

/**
 * Shares before anything was learnt, of experts as good as the network on its validation part; without a challenger.
 */
const fullShares: Record<Exclude<Expert, "challenger">, number> = {
  lstm: 0.96,
  ridge: 0.02,
  climatology: 0.01,
  persistence: 0.01,
};
/**
 * What a challenger takes of the champion's share: it has seen more, but one training may have gone wrong, and two are
 * steadier than one.
 */
const challengerShare = 0.6;
/** Slows the learning rate: in quiet times mixing must cost next to nothing. */
const caution = 0.1;
/**
 * An outcome moves the weights by no more than so many times the largest gain of late: a broken sensor is no teacher.
 */
const surpriseLimit = 4;

/** What the weights are made of, in float32: `regret`, `square` [experts][leads], `bound` [leads]. */
export type WeightState = { regret: number[][]; square: number[][]; bound: number[] };

/**
 * One lead whose actual became known, with what was issued for it: [q10, q50, q90] of each expert or null, and mixed.
 */
export type MixedLead = {
  actual: number;
  experts: (readonly number[] | null)[];
  mixed: readonly number[];
};

/**
 * The experts' shares before anything was learnt, together 1: one that was worse than the network on its validation
 * part starts with less, by the square of how much. Without metrics all are trusted.
 */
export function startShares(metrics: ModelManifest["metrics"][string] | undefined, hasChallenger: boolean): number[] {
  const trust = (own: number, other: number) => (own < other ? Math.max(1e-4, (own / other) ** 2) : 1);
  const simple = metrics ? trust(metrics.mae ?? metrics.ridgeMae, metrics.persistenceMae) : 1;
  const ridge = metrics ? trust(metrics.pinball ?? metrics.ridgePinball, metrics.ridgePinball) : 1;
  const { lstm, ridge: ofRidge, climatology, persistence } = fullShares;
  const challenger = hasChallenger ? challengerShare * lstm : 0;
  const shares = [lstm - challenger, ofRidge * ridge, climatology * simple, persistence * simple, challenger];
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

/** Weights are whole 4096ths, which are stored in a byte or two; together they are 1 exactly. */
export const weightParts = 4096;

/**
 * Weights [experts][leads] of the experts that have a forecast, in `weightParts`, by Bernstein online aggregation
 * (Wintenberger 2017). `shares`: what each starts from, 0 for one without a forecast.
 */
export function weightsOf(state: WeightState, shares: number[]): number[][] {
  const made = experts.map(() => new Array<number>(state.bound.length).fill(0));
  for (let h = 0; h < state.bound.length; h++) {
    const weights = inParts(weightsAt(state, h, shares));
    for (let k = 0; k < weights.length; k++) made[k]![h] = weights[k]!;
  }
  return made;
}

/** Rounds, in place; the largest takes what that leaves over. */
function inParts(weights: number[]): number[] {
  let largest = 0;
  let rest = weightParts;
  for (let k = 0; k < weights.length; k++) {
    weights[k] = Math.round(weights[k]! * weightParts);
    rest -= weights[k]!;
    if (weights[k]! > weights[largest]!) largest = k;
  }
  weights[largest]! += rest;
  for (let k = 0; k < weights.length; k++) weights[k]! /= weightParts;
  return weights;
}

/**
 * Learns, in place, of the lead at index `h`, how much better each expert would have been than the mix: the mean over
 * levels of the pinball gradient.
 */
export function learnWeights(state: WeightState, h: number, { actual, experts: made, mixed }: MixedLead): void {
  let largest = 0;
  const gains = made.map((quantiles) => {
    const gain = quantiles === null ? 0 : gainOf(quantiles, mixed, actual);
    largest = Math.max(largest, Math.abs(gain));
    return gain;
  });
  const known = state.bound[h]!;
  const scale = known > 0 && largest > surpriseLimit * known ? (surpriseLimit * known) / largest : 1;
  state.bound[h] = Math.max(known, scale * largest);
  for (let k = 0; k < gains.length; k++) {
    const gain = scale * gains[k]!;
    state.regret[k]![h]! += gain;
    state.square[k]![h]! += gain ** 2;
  }
}

/** How much better these quantiles would have been than the mixed ones, linearised. */
function gainOf(quantiles: readonly number[], mixed: readonly number[], actual: number): number {
  let gain = 0;
  for (let q = 0; q < levels.length; q++) {
    const gradient = (actual < mixed[q]! ? 1 : 0) - levels[q]!;
    gain -= (gradient * (quantiles[q]! - mixed[q]!)) / levels.length;
  }
  return gain;
}

/**
 * The weights at one lead: each expert's start share times exp(eta (regret - eta square)), with its own learning rate.
 */
function weightsAt(state: WeightState, h: number, shares: number[]): number[] {
  const bound = state.bound[h]!;
  const logs = shares.map((share, k) => {
    if (share === 0) return Number.NEGATIVE_INFINITY;
    if (bound === 0) return Math.log(share);
    const square = Math.max(state.square[k]![h]!, Number.MIN_VALUE);
    const eta = caution * Math.min(1 / (2 * bound), Math.sqrt(-Math.log(share) / square));
    return Math.log(share * eta) + eta * state.regret[k]![h]! - eta * eta * state.square[k]![h]!;
  });
  let most = Number.NEGATIVE_INFINITY;
  for (const log of logs) most = Math.max(most, log);
  let total = 0;
  for (let k = 0; k < logs.length; k++) {
    logs[k] = Math.exp(logs[k]! - most);
    total += logs[k]!;
  }
  for (let k = 0; k < logs.length; k++) logs[k]! /= total;
  return logs;
}
