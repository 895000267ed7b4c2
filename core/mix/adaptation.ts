import { placesOf } from "../model/leads.ts";
import { experts } from "./experts.ts";
import { learnMiddle } from "./middle.ts";
import { learnWeights, type MixedLead, type WeightState } from "./weights.ts";
import { learnWidths, type ServedLead } from "./widths.ts";

/** What was learnt counts half after so many days: a change of regime is followed within days. */
const halfLifeSeconds = 5 * 86_400;

/**
 * What mixing and widths have learnt of one target of one sensor, in float32, of each of its `leads` (in steps,
 * ascending) apart. `width` is [lower, upper][leads], the logs of the factors on the band's sides; `middle` [leads],
 * how much larger than a half the share of actuals above the middle is of late. `through`: newest moment learnt from.
 */
export type Adaptation = WeightState & {
  version: 2;
  leads: number[];
  through: Date | null;
  width: number[][];
  middle: number[];
};

/** A state, and whose it is. */
export type Adapted = { sensorId: string; target: string; state: Adaptation };

/** One lead whose actual became known, with all that was issued for it. */
export type MaturedLead = MixedLead & ServedLead;

/** The state before anything was learnt. */
export function freshAdaptation(leads: number[]): Adaptation {
  const zeros = () => new Array<number>(leads.length).fill(0);
  return {
    version: 2,
    leads,
    through: null,
    regret: experts.map(zeros),
    square: experts.map(zeros),
    bound: zeros(),
    width: [zeros(), zeros()],
    middle: zeros(),
  };
}

/** The same state for other leads: what was learnt of those that it knows, nothing of the others. */
export function adaptationFor(state: Adaptation, leads: number[]): Adaptation {
  if (state.leads.length === leads.length && state.leads.every((lead, i) => lead === leads[i])) return state;
  const places = placesOf(state.leads, leads);
  const pick = (values: number[]) => places.map((place) => values[place] ?? 0);
  return {
    ...state,
    leads,
    regret: state.regret.map(pick),
    square: state.square.map(pick),
    bound: pick(state.bound),
    width: state.width.map(pick),
    middle: pick(state.middle),
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
    leads: state.leads,
    through: targetAt,
    regret: state.regret.map(faded),
    square: state.square.map(faded),
    bound: faded(state.bound),
    width: state.width.map((side) => side.slice()),
    middle: state.middle.slice(),
  };
  for (const outcome of outcomes) {
    const h = state.leads.indexOf(outcome.lead);
    if (h < 0) continue;
    learnWeights(next, h, outcome);
    learnWidths(next.width, h, outcome);
    learnMiddle(next.middle, h, outcome);
  }
  for (const rows of [next.regret, next.square, [next.bound], next.width, [next.middle]])
    for (const row of rows) toFloats(row);
  return next;
}

/** Rounds, in place, to what is stored. */
function toFloats(values: number[]): void {
  for (let h = 0; h < values.length; h++) values[h] = Math.fround(values[h]!);
}
