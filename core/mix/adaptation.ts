import { experts } from "./experts.ts";
import { learnWeights, type MixedLead, type WeightState } from "./weights.ts";
import { learnWidths, type ServedLead } from "./widths.ts";

/** What was learnt counts half after so many days: a change of regime is followed within days. */
const halfLifeSeconds = 5 * 86_400;

/**
 * What mixing and widths have learnt of one target of one sensor, in float32. `width` is [lower, upper][horizon], the
 * logs of the factors on the band's sides. `through`: newest moment learnt from.
 */
export type Adaptation = WeightState & { version: 2; through: Date | null; width: number[][] };

/** A state, and whose it is. */
export type Adapted = { sensorId: string; target: string; state: Adaptation };

/** One lead whose actual became known, with all that was issued for it. */
export type MaturedLead = MixedLead & ServedLead;

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
 * The state after the leads that came due at `targetAt`. Moments must come in ascending order: one at or before
 * `through` was learnt already and changes nothing, so that learning twice is learning once.
 */
export function adapt(state: Adaptation, targetAt: Date, outcomes: MaturedLead[]): Adaptation {
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
    learnWidths(next.width, outcome);
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
