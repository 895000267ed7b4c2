import { heldSteps, type SensorGrid } from "../data/context.ts";
import { formatDuration } from "../duration.ts";
import type { ForecastSettings } from "./settings.ts";

/** Fewer steps of the context than this share are a lost reading here and there. */
const toldShare = 0.25;

/**
 * Of each target that comes more seldom than the step, or on change: "temperature comes every 1 h: 40 of the context's
 * 48 steps stand on the value before"; null without any.
 */
export function standingText(sensor: SensorGrid, { fleet, contextLength }: ForecastSettings): string | null {
  const texts = fleet.targets.flatMap(({ name }, k) => {
    const held = heldSteps(sensor, k, contextLength);
    const every = sensor.conditions[k]?.everySeconds ?? null;
    if (held < toldShare * contextLength) return [];
    const rhythm = every === null ? "comes seldom" : `comes every ${formatDuration(every)}`;
    return [`${name} ${rhythm}: ${held} of the context's ${contextLength} steps stand on the value before`];
  });
  return texts.length === 0 ? null : texts.join("; ");
}
