import { type Readings, readingsBetween } from "../data/reading.ts";
import { type SensorSlot, stepsNeeded } from "../forecast/plan.ts";
import { type EncodeModel, type RunModels, type ServedSlot, serve } from "../forecast/serve.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import type { Adaptation } from "../mix/adaptation.ts";
import type { RegisteredModel } from "../model/registered.ts";

/** The sensor's models at the time; the newest challenger only, as serving has it. */
export type ServingModels = { champion: RegisteredModel | null; challenger: RegisteredModel | null };

/** Slots encoded and inferred together. */
const slotsAtOnce = 256;

/**
 * One sensor's slots, ascending, by the very code that serves: what is forecast at each of `times`, epoch ms, with the
 * readings known then. `learnt` is looked at anew for each slot.
 */
export async function* replay(
  run: RunModels,
  settings: ForecastSettings,
  { sensorId, readings }: { sensorId: string; readings: Readings },
  times: number[],
  { champion, challenger }: ServingModels,
  learnt: Map<string, Adaptation>,
  encode?: EncodeModel,
): AsyncGenerator<ServedSlot> {
  const challengers = challenger ? [challenger] : [];
  const models = champion ? [champion, ...challengers] : challengers;
  const reach = stepsNeeded(models, settings) * settings.fleet.stepSeconds * 1000;
  const decide = ({ slot }: SensorSlot) => ({ learnt, decidedAt: slot });
  for (let first = 0; first < times.length; first += slotsAtOnce) {
    const batch = times.slice(first, first + slotsAtOnce).map((at) => {
      const known = readingsBetween(readings, at - reach, at);
      return { sensorId, slot: new Date(at), readings: known, champion, challengers };
    });
    yield* serve(run, settings, batch, decide, encode);
  }
}
