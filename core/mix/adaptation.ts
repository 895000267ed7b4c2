import type { ModelManifest } from "../model/manifest.ts";
import { type Expert, experts, levels } from "./experts.ts";

/** Shares before anything was learnt, of experts as good as the network on its validation part; without a challenger. */
const fullShares: Record<Exclude<Expert, "challenger">, number> = {
  lstm: 0.85,
  ridge: 0.05,
  climatology: 0.05,
  persistence: 0.05,
};
/** What a challenger takes of the champion's share: it has seen more; the rest because two are steadier than one. */
const challengerShare = 0.75;
/** What was learnt counts half after so many days: a change of regime is followed within days. */
const halfLifeSeconds = 5 * 86_400;
/** Slows the learning rate: in quiet times mixing must cost next to nothing. */
const caution = 0.2;
/** Step of a width's log factor for an outcome; small, because at every step one outcome a lead comes in. */
const widthStep = 0.01;
const widthLimit = 1.5;
/** An outcome moves the weights by no more than so many times the largest gain of late: a broken sensor is no teacher. */
const surpriseLimit = 4;

/**
 * What mixing and widths have learnt, in float32. `regret`, `square` are [experts][horizon]; `bound` is [horizon];
 * `width` is [lower, upper][horizon], the logs of the factors on the band's sides. `through`: newest moment learnt from.
 */
export type Adaptation = {
  version: 2;
  through: Date | null;
  regret: number[][];
  square: number[][];
  bound: number[];
  width: number[][];
};

/** What was learnt about one target of one sensor. */
export type Adapted = { sensorId: string; target: string; state: Adaptation };

/** One lead whose actual became known, with what was issued for it: [q10, q50, q90] of each expert or null, mixed, and final. */
export type Learnt = {
  lead: number;
  actual: number;
  experts: (readonly number[] | null)[];
  mixed: readonly number[];
  final: readonly number[];
};

/** The state before anything was learnt. */
export function freshAdaptation(horizon: number): Adaptation {
  const zeros = () => new Array<number>(horizon).fill(0);
  return {
    version: 2,
    through: null,
    regret: experts.map(zeros),
    square: experts.map(zeros),
    bound: zeros(),
    width: [zeros(), zeros()],
  };
}

/**
 * The experts' shares before anything was learnt, together 1: one that was worse than the network on its validation part
 * starts with less, by the square of how much. Without metrics all are trusted.
 */
export function startShares(metrics: ModelManifest["metrics"][string] | undefined, hasChallenger: boolean): number[] {
  const trust = (own: number, other: number) => (own < other ? Math.max(1e-4, (own / other) ** 2) : 1);
  const simple = metrics ? trust(metrics.mae, metrics.persistenceMae) : 1;
  const ridge = metrics ? trust(metrics.pinball, metrics.ridgePinball) : 1;
  const { lstm, ridge: ofRidge, climatology, persistence } = fullShares;
  const challenger = hasChallenger ? challengerShare * lstm : 0;
  const shares = [lstm - challenger, ofRidge * ridge, climatology * simple, persistence * simple, challenger];
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

/**
 * Weights [experts][horizon] of the experts that have a forecast (Bernstein online aggregation: Wintenberger 2017) and factors
 * [lower, upper][horizon] of the band's sides (adaptive conformal inference: Gibbs & Candes 2021), in float32. `shares`: what
 * each starts from, 0 for one without a forecast.
 */
export function weigh(state: Adaptation, shares: number[]): { weights: number[][]; widths: number[][] } {
  const perLead = state.bound.map((_, h) => weightsAt(state, h, shares));
  return {
    weights: experts.map((_, k) => perLead.map((weights) => Math.fround(weights[k]!))),
    widths: state.width.map((side) => side.map((log) => Math.fround(Math.exp(log)))),
  };
}

/**
 * The state after the leads that came due at `targetAt`. Moments must come in ascending order: one at or before `through`
 * was learnt already and changes nothing, so that learning twice is learning once.
 */
export function learn(state: Adaptation, targetAt: Date, outcomes: Learnt[]): Adaptation {
  if (outcomes.length === 0 || (state.through !== null && targetAt <= state.through)) return state;
  const seconds = state.through === null ? 0 : (targetAt.getTime() - state.through.getTime()) / 1000;
  const decay = 0.5 ** (seconds / halfLifeSeconds);
  const faded = (values: number[]) => values.map((value) => value * decay);
  const next: Adaptation = {
    version: 2,
    through: targetAt,
    regret: state.regret.map(faded),
    square: state.square.map(faded),
    bound: faded(state.bound),
    width: state.width.map((side) => [...side]),
  };
  for (const outcome of outcomes) {
    learnWeights(next, outcome);
    learnWidths(next, outcome);
  }
  const round = (values: number[]) => values.map(Math.fround);
  return {
    ...next,
    regret: next.regret.map(round),
    square: next.square.map(round),
    bound: round(next.bound),
    width: next.width.map(round),
  };
}

/** How much better each expert would have been than the mix, linearised: the mean over levels of the pinball gradient. */
function learnWeights(state: Adaptation, { lead, actual, experts: made, mixed }: Learnt): void {
  const h = lead - 1;
  const gains = made.map((quantiles) =>
    quantiles === null
      ? 0
      : levels.reduce((sum, level, q) => {
          const gradient = (actual < mixed[q]! ? 1 : 0) - level;
          return sum - (gradient * (quantiles[q]! - mixed[q]!)) / levels.length;
        }, 0),
  );
  const largest = Math.max(...gains.map(Math.abs));
  const known = state.bound[h]!;
  const scale = known > 0 && largest > surpriseLimit * known ? (surpriseLimit * known) / largest : 1;
  state.bound[h] = Math.max(known, scale * largest);
  gains.forEach((gain, k) => {
    state.regret[k]![h]! += scale * gain;
    state.square[k]![h]! += (scale * gain) ** 2;
  });
}

function learnWidths({ width }: Adaptation, { lead, actual, final }: Learnt): void {
  const h = lead - 1;
  const misses = [actual < final[0]!, actual > final[2]!];
  misses.forEach((isMiss, side) => {
    const moved = width[side]![h]! + widthStep * ((isMiss ? 1 : 0) - levels[0]);
    width[side]![h] = Math.min(widthLimit, Math.max(-widthLimit, moved));
  });
}

/** The weights at one lead: each expert's start share times exp(eta (regret - eta square)), with its own learning rate. */
function weightsAt(state: Adaptation, h: number, shares: number[]): number[] {
  const bound = state.bound[h]!;
  const logs = shares.map((share, k) => {
    if (share === 0) return Number.NEGATIVE_INFINITY;
    if (bound === 0) return Math.log(share);
    const square = Math.max(state.square[k]![h]!, Number.MIN_VALUE);
    const eta = caution * Math.min(1 / (2 * bound), Math.sqrt(-Math.log(share) / square));
    return Math.log(share * eta) + eta * state.regret[k]![h]! - eta * eta * state.square[k]![h]!;
  });
  const most = Math.max(...logs);
  const raw = logs.map((log) => Math.exp(log - most));
  const total = raw.reduce((sum, value) => sum + value, 0);
  return raw.map((value) => value / total);
}
