import type { ForecastSettings } from "../forecast/settings.ts";
import type { RegisteredModel } from "../model/registered.ts";
import type { Ports } from "../ports.ts";
import { type BacktestInput, insteadNotes, type Made, plannedTimes, toMade } from "./made.ts";
import { type OnlineMemory, serveSlots } from "./serve-slots.ts";
import { type Challenge, validationEndOf } from "./trainings.ts";

/**
 * Forecasts of the plan as a system would have made them that served every step since the end of validation, learnt from each
 * outcome when it was known, and mixed in each challenger when it was trained. Per planned moment, per target.
 */
export async function forecastOnline(
  ports: Pick<Ports, "inference" | "log">,
  settings: ForecastSettings,
  input: BacktestInput,
  champion: RegisteredModel,
  challenges: Challenge[],
): Promise<Map<number, (Made | undefined)[]>> {
  const planned = new Set(plannedTimes(input));
  const times = everyStep(input, settings.fleet.stepSeconds, planned);
  const memory: OnlineMemory = { states: new Map(), forecasts: [] };
  const made = new Map<number, (Made | undefined)[]>();
  const unheard = insteadNotes();
  const turns = [{ from: Number.NEGATIVE_INFINITY, model: null }, ...challenges];
  for (const [i, { from, model: challenger }] of turns.entries()) {
    const until = turns[i + 1]?.from ?? Number.POSITIVE_INFINITY;
    const ofTurn = times.filter((at) => at >= from && at < until);
    for await (const slot of serveSlots(ports, settings, input, ofTurn, { champion, challenger }, memory)) {
      if (planned.has(slot.at)) made.set(slot.at, toMade(slot, settings, input, unheard));
    }
  }
  return made;
}

/** Every step of the grid from the end of validation to the last planned moment, and the planned moments. */
function everyStep(input: BacktestInput, stepSeconds: number, planned: Set<number>): number[] {
  const step = stepSeconds * 1000;
  const last = Math.max(...planned);
  const first = Math.ceil(validationEndOf(input).getTime() / step) * step;
  const count = Math.max(0, Math.floor((last - first) / step) + 1);
  const steps = Array.from({ length: count }, (_, i) => first + i * step);
  return [...new Set([...steps, ...planned])].sort((a, b) => a - b);
}
