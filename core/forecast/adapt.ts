import type { Quantiles } from "./rows.ts";

/** The experts that are mixed, in the order of every array, with their share before anything was learnt. */
export const experts = ["lstm", "ridge", "climatology", "persistence"] as const;
export type Expert = (typeof experts)[number];
const startShares: Record<Expert, number> = { lstm: 0.85, ridge: 0.05, climatology: 0.05, persistence: 0.05 };

const levels = [0.1, 0.5, 0.9] as const;
/** What was learnt counts half after so many days: a change of regime is followed within days. */
const halfLifeSeconds = 5 * 86_400;
/** Slows the learning rate: in quiet times mixing must cost next to nothing. */
const caution = 0.2;
/** Step of a width's log factor for an outcome; small, because at every step one outcome a lead comes in. */
const widthStep = 0.01;
const widthLimit = 1.5;

/**
 * What was learnt about one target of one sensor. `regret`, `square` are [experts][horizon]; `bound` is [horizon]; `width` is
 * [lower, upper][horizon], the logs of the factors on the band's two sides. `through` is the newest moment learnt from, epoch ms.
 */
export type Adaptation = {
  version: 1;
  through: number | null;
  regret: number[][];
  square: number[][];
  bound: number[];
  width: number[][];
};

/** Each expert's quantiles of one target, null where it could not forecast; in the order of `experts`. */
export type ExpertQuantiles = (Quantiles | null)[];

/** `mixed` before and `final` after the widths; `weights` is [experts][horizon], `widths` [lower, upper][horizon], factors. */
export type Combined = { mixed: Quantiles; final: Quantiles; weights: number[][]; widths: number[][] };

/** One lead whose actual became known, with what was issued for it; `experts` hold [q10, q50, q90] or null. */
export type Learnt = {
  lead: number;
  actual: number;
  experts: ([number, number, number] | null)[];
  mixed: [number, number, number];
  final: [number, number, number];
};

/** The state before anything was learnt. */
export function freshAdaptation(horizon: number): Adaptation {
  const zeros = () => new Array<number>(horizon).fill(0);
  return {
    version: 1,
    through: null,
    regret: experts.map(zeros),
    square: experts.map(zeros),
    bound: zeros(),
    width: [zeros(), zeros()],
  };
}

/**
 * Mixes the experts' quantiles with the weights learnt per lead (Bernstein online aggregation: Wintenberger 2017) and sets
 * the band's two sides to the widths learnt (adaptive conformal inference: Gibbs & Candes 2021). Null experts have no
 * weight. Throws when none could forecast. Quantiles that do not cross are mixed into quantiles that do not cross.
 */
export function combine(state: Adaptation, made: ExpertQuantiles): Combined {
  const first = made.find((one) => one !== null);
  if (!first) throw new RangeError("no expert has a forecast");
  const horizon = first.q50.length;
  const empty = (): Quantiles => ({ q10: [], q50: [], q90: [] });
  const combined: Combined = { mixed: empty(), final: empty(), weights: experts.map(() => []), widths: [[], []] };
  for (let h = 0; h < horizon; h++) {
    const weights = weightsAt(
      state,
      h,
      made.map((one) => one !== null),
    );
    const mix = (level: keyof Quantiles) => weights.reduce((sum, w, k) => sum + (w && w * made[k]![level][h]!), 0);
    const [q10, q50, q90] = [mix("q10"), mix("q50"), mix("q90")];
    const [lower, upper] = state.width.map((side) => Math.exp(side[h]!)) as [number, number];
    combined.mixed.q10.push(q10);
    combined.mixed.q50.push(q50);
    combined.mixed.q90.push(q90);
    combined.final.q10.push(q50 - (q50 - q10) * lower);
    combined.final.q50.push(q50);
    combined.final.q90.push(q50 + (q90 - q50) * upper);
    weights.forEach((weight, k) => {
      combined.weights[k]!.push(weight);
    });
    combined.widths[0]!.push(lower);
    combined.widths[1]!.push(upper);
  }
  return combined;
}

/**
 * The state after the leads that came due at `targetAt` (epoch ms). Moments must come in ascending order: one at or before
 * `through` was learnt already and changes nothing, so that learning twice is learning once.
 */
export function learn(state: Adaptation, targetAt: number, outcomes: Learnt[]): Adaptation {
  if (outcomes.length === 0 || (state.through !== null && targetAt <= state.through)) return state;
  const decay = state.through === null ? 1 : 0.5 ** ((targetAt - state.through) / 1000 / halfLifeSeconds);
  const faded = (values: number[]) => values.map((value) => value * decay);
  const next: Adaptation = {
    version: 1,
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
  return next;
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
  state.bound[h] = Math.max(state.bound[h]!, ...gains.map(Math.abs));
  gains.forEach((gain, k) => {
    state.regret[k]![h]! += gain;
    state.square[k]![h]! += gain * gain;
  });
}

function learnWidths({ width }: Adaptation, { lead, actual, final }: Learnt): void {
  const h = lead - 1;
  const misses = [actual < final[0], actual > final[2]];
  misses.forEach((isMiss, side) => {
    const moved = width[side]![h]! + widthStep * ((isMiss ? 1 : 0) - levels[0]);
    width[side]![h] = Math.min(widthLimit, Math.max(-widthLimit, moved));
  });
}

/** The weights at one lead: each expert's start share times exp(eta (regret - eta square)), with its own learning rate. */
function weightsAt(state: Adaptation, h: number, isAvailable: boolean[]): number[] {
  const bound = state.bound[h]!;
  const logs = experts.map((expert, k) => {
    if (!isAvailable[k]) return Number.NEGATIVE_INFINITY;
    const share = startShares[expert];
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
