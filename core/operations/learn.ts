import { gridTime } from "../data/grid.ts";
import { observe } from "../data/observed.ts";
import { tripleAt } from "../data/quantiles.ts";
import type { Fleet, Readings } from "../data/reading.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { type Adaptation, type Adapted, adapt, freshAdaptation, type MaturedLead } from "../mix/adaptation.ts";
import { mixedAt } from "../mix/mix.ts";
import type { Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";

/** What one target was at a moment, once it is known. */
export type Actual = { at: Date; value: number };

/** A state that is lost is learnt again from so long a past: what is older counts for nothing by half-life. */
const relearnSeconds = 30 * 86_400;

/** What was measured of each target, in the fleet's order, at the grid's moments in (after, upTo]; ascending. */
export function actualsOf(readings: Readings, fleet: Fleet, after: Date, upTo: Date): Actual[][] {
  const { stepSeconds, targets } = fleet;
  const { grid, conditions } = observe(readings, targets, stepSeconds, { from: addSeconds(after, stepSeconds), upTo });
  // What is held was not measured, and a reading that waits for the next one is not known yet.
  return grid.columns.map((column, k) =>
    Array.from(column, (value, i) => ({ at: gridTime(grid, i), value })).filter(
      ({ value }, i) => !Number.isNaN(value) && conditions[k]!.isHeld[i] === 0,
    ),
  );
}

/**
 * The state after the outcomes that are newer than what it learnt through; `actuals` ascending. `forecasts` are one sensor's
 * and target's; only served, mixed ones teach. Nothing is learnt of a moment without an actual, or of a stuck sensor.
 */
export function learnOutcomes(state: Adaptation, forecasts: Forecast[], actuals: Actual[]): Adaptation {
  const served = forecasts.filter((one) => one.isServed).sort((a, b) => a.issuedAt.getTime() - b.issuedAt.getTime());
  const isNew = ({ at }: Actual) => state.through === null || at > state.through;
  return actuals.filter(isNew).reduce((known, { at, value }) => adapt(known, at, outcomesAt(served, at, value)), state);
}

/** What was issued for a moment before it came, the last issued of each lead. */
function outcomesAt(served: Forecast[], at: Date, actual: number): MaturedLead[] {
  const before = served.filter(({ issuedAt }) => issuedAt < at);
  const newest = before.reduce<Forecast | null>((a, b) => (a === null || b.origin >= a.origin ? b : a), null);
  if (newest?.reason === "stuck") return [];
  const byLead = new Map<number, MaturedLead>();
  for (const row of before) {
    const { origin, stepSeconds, mix } = row;
    const lead = (at.getTime() - origin.getTime()) / 1000 / stepSeconds;
    const h = lead - 1;
    if (mix === null || !Number.isInteger(lead) || h >= row.q50.length) continue;
    byLead.set(lead, { lead, actual, ...mixedAt(mix, h), final: tripleAt(row, h) });
  }
  return [...byLead.values()];
}

/** Per sensor and target, the state after what `forecasts` and `actuals` have to teach; without those that learnt nothing. */
export function learn(
  fleet: Fleet,
  known: Map<string, Map<string, Adaptation>>,
  forecasts: Forecast[],
  actuals: Map<string, Actual[][]>,
): Adapted[] {
  const bySensor = Map.groupBy(forecasts, (one) => one.sensorId);
  return [...bySensor].flatMap(([sensorId, rows]) =>
    fleet.targets.flatMap(({ name: target }, k): Adapted[] => {
      const before = stateOf(known, sensorId, target, fleet);
      const ofTarget = rows.filter((row) => row.target === target);
      const state = learnOutcomes(before, ofTarget, actuals.get(sensorId)?.[k] ?? []);
      return state === before ? [] : [{ sensorId, target, state }];
    }),
  );
}

function stateOf(known: Map<string, Map<string, Adaptation>>, sensorId: string, target: string, { horizon }: Fleet) {
  const state = known.get(sensorId)?.get(target);
  return state?.bound.length === horizon ? state : freshAdaptation(horizon);
}

/** States from nothing but the stored forecasts and their actuals up to `upTo`, as they were learnt when they matured. */
export async function relearn(
  { follower, scores }: Pick<Ports, "follower" | "scores">,
  fleet: Fleet,
  sensorIds: string[],
  upTo: Date,
): Promise<Adapted[]> {
  if (sensorIds.length === 0) return [];
  const after = addSeconds(upTo, -relearnSeconds);
  const [windows, forecasts] = await Promise.all([
    follower.readWindows(sensorIds, after, upTo),
    scores.maturing(sensorIds, after, upTo),
  ]);
  const actuals = new Map([...windows].map(([id, readings]) => [id, actualsOf(readings, fleet, after, upTo)]));
  return learn(fleet, new Map(), forecasts, actuals);
}
