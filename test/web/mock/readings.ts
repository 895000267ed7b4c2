import type { ReadingsResponse } from "../../../functions/api/contract/readings.ts";
import { grid, iso, mockTargets, stepMs, stepSeconds, valueAt } from "./fleet-data.ts";
import { type MockState, newestAt } from "./state.ts";

/** Readings after `from` up to `to`, as far as there are any; those of the seldom sensor come once an hour. */
export function readingsOf(state: MockState, sensorId: string, from: number, to: number): ReadingsResponse {
  const end = Math.min(to, newestAt(state, sensorId));
  const at: number[] = [];
  for (let one = grid(from) + stepMs; one <= end; one += stepMs) at.push(one);
  const isSeldom = sensorId === state.seldomSensor;
  const hourMs = 3_600_000;
  const isMissed = (one: number) => isSeldom && one % hourMs !== 0;
  const falseAt = Math.floor(end / hourMs) * hourMs - hourMs;
  const targets = mockTargets.map(({ target, unit }) => ({
    target,
    unit,
    value: at.map((one) => (isMissed(one) ? null : valueAt(sensorId, target, one))),
    heldBack: isSeldom && target === "temperature" ? [{ at: iso(falseAt), value: 85 }] : [],
    shift: null,
    standing: at.map((one) => (isMissed(one) ? valueAt(sensorId, target, one - (one % hourMs)) : null)),
    everySeconds: isSeldom ? 3600 : 600,
  }));
  return { sensorId, stepSeconds, from: iso(from), to: iso(to), at: at.map(iso), targets };
}
