import type { Disturbance } from "../annotation/annotation.ts";
import { isLeftOut } from "../annotation/left-out.ts";
import { gridTime } from "../data/grid.ts";
import { observe } from "../data/observed.ts";
import type { Fleet, Readings } from "../data/reading.ts";
import { type MaturedForecast, maturedLeads } from "../forecast/matured.ts";
import {
  type Adaptation,
  type Adapted,
  adapt,
  adaptationFor,
  freshAdaptation,
  type MaturedLead,
} from "../mix/adaptation.ts";
import type { Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";

/** What one target was at a moment, once it is known. */
export type Actual = { at: Date; value: number };

/** A state that is lost is learnt again from so long a past: what is older counts for nothing by half-life. */
const relearnSeconds = 30 * 86_400;

/** So much before the first actual tells which jumps are usual: a false reading is no actual. */
const usualSteps = 36;

/** What was measured of each sensor, as `actualsOf`, by one query. */
export async function readActuals(
  follower: Pick<Ports["follower"], "readWindows">,
  fleet: Fleet,
  sensorIds: string[],
  after: Date,
  upTo: Date,
): Promise<Map<string, Actual[][]>> {
  const windows = await follower.readWindows(sensorIds, addSeconds(after, -usualSteps * fleet.stepSeconds), upTo);
  return new Map([...windows].map(([id, readings]) => [id, actualsOf(readings, fleet, after, upTo)]));
}

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
 * The state after the outcomes that are newer than what it learnt through; `actuals` ascending. `matured` are one
 * sensor's and target's; only served, mixed ones teach. Nothing is learnt of a moment without an actual, or of a stuck
 * sensor.
 */
export function learnOutcomes(state: Adaptation, matured: MaturedForecast[], actuals: Actual[]): Adaptation {
  // Dates compared as they are cost more than all that is learnt.
  const through = state.through?.getTime() ?? Number.NEGATIVE_INFINITY;
  const fresh = actuals.filter(({ at }) => at.getTime() > through);
  if (fresh.length === 0) return state;
  const byTime = (a: MaturedForecast, b: MaturedForecast) => a.issuedAt.getTime() - b.issuedAt.getTime();
  const served = matured.filter((one) => one.isServed && one.targetAt.getTime() > through).sort(byTime);
  const byMoment = Map.groupBy(served, ({ targetAt }) => targetAt.getTime());
  return fresh.reduce(
    (known, { at, value }) => adapt(known, at, outcomesOf(byMoment.get(at.getTime()) ?? [], value)),
    state,
  );
}

/** What was issued for one moment, the last issued of each lead; `served` ascending by issuedAt. */
function outcomesOf(served: MaturedForecast[], actual: number): MaturedLead[] {
  const newest = served.reduce<MaturedForecast | null>(
    (a, b) => (a === null || b.origin.getTime() >= a.origin.getTime() ? b : a),
    null,
  );
  if (newest?.reason === "stuck") return [];
  const byLead = new Map<number, MaturedLead>();
  for (const { lead, mix, final } of served) {
    if (mix !== null) byLead.set(lead, { lead, actual, experts: mix.experts, mixed: mix.mixed, final });
  }
  return [...byLead.values()];
}

/**
 * Per sensor and target, the state after what `matured` and `actuals` have to teach; without those that learnt nothing.
 */
export function learn(
  fleet: Fleet,
  known: Map<string, Map<string, Adaptation>>,
  matured: MaturedForecast[],
  actuals: Map<string, Actual[][]>,
): Adapted[] {
  const bySensor = Map.groupBy(matured, (one) => one.sensorId);
  return [...bySensor].flatMap(([sensorId, rows]) =>
    fleet.targets.flatMap(({ name: target }, k): Adapted[] => {
      const before = stateOf(known, sensorId, target, fleet);
      const ofTarget = rows.filter((row) => row.target === target);
      const state = learnOutcomes(before, ofTarget, actuals.get(sensorId)?.[k] ?? []);
      return state === before ? [] : [{ sensorId, target, state }];
    }),
  );
}

function stateOf(known: Map<string, Map<string, Adaptation>>, sensorId: string, target: string, { leads }: Fleet) {
  const state = known.get(sensorId)?.get(target);
  return state ? adaptationFor(state, leads) : freshAdaptation(leads);
}

/**
 * What was measured and is to be learnt from, of each sensor and target: what annotations leave out teaches nothing.
 */
export function teachingOf(
  actuals: Map<string, Actual[][]>,
  disturbing: Map<string, Disturbance[]>,
  { targets, stepSeconds }: Fleet,
): Map<string, Actual[][]> {
  if (disturbing.size === 0) return actuals;
  return new Map(
    [...actuals].map(([sensorId, perTarget]) => {
      const disturbances = disturbing.get(sensorId) ?? [];
      const counts = (target: string, at: Date) => !isLeftOut(disturbances, target, at, stepSeconds);
      return [sensorId, perTarget.map((column, k) => column.filter(({ at }) => counts(targets[k]!.name, at)))];
    }),
  );
}

type RelearnPorts = Pick<Ports, "follower" | "scores" | "annotations">;

/**
 * States from nothing but the stored forecasts and their actuals up to `upTo`, as they were learnt when they matured.
 */
export async function relearn(ports: RelearnPorts, fleet: Fleet, sensorIds: string[], upTo: Date): Promise<Adapted[]> {
  return [...(await relearnSensors(ports, fleet, sensorIds, upTo, () => true)).values()].flat();
}

/**
 * The same by sensor, of those that are `wanted`: it is told since when what the experts said is kept, null where
 * nothing is.
 */
export async function relearnSensors(
  { follower, scores, annotations }: RelearnPorts,
  fleet: Fleet,
  sensorIds: string[],
  upTo: Date,
  wanted: (sensorId: string, keptFrom: Date | null) => boolean,
): Promise<Map<string, Adapted[]>> {
  if (sensorIds.length === 0) return new Map();
  const after = addSeconds(upTo, -relearnSeconds);
  const [forecasts, disturbing] = await Promise.all([
    scores.maturing(sensorIds, after, upTo),
    annotations.disturbing(sensorIds, after, upTo),
  ]);
  // What was measured before the first forecast teaches nothing: of sensors that are new a month need not be read.
  const first = forecasts.reduce((oldest, { origin }) => Math.min(oldest, origin.getTime()), upTo.getTime());
  const since = new Date(Math.max(first, after.getTime()));
  const actuals = await readActuals(follower, fleet, sensorIds, since, upTo);
  const teaching = teachingOf(actuals, disturbing, fleet);
  // Sensor by sensor: a month of leads is 200,000 rows.
  const bySensor = Map.groupBy(forecasts, (one) => one.sensorId);
  const isOfThen = (at: number) => at > after.getTime() && at <= upTo.getTime();
  return new Map(
    sensorIds.flatMap((sensorId): [string, Adapted[]][] => {
      const own = bySensor.get(sensorId) ?? [];
      const kept = own.filter(({ mix }) => mix !== null).map(({ origin }) => origin.getTime());
      const keptFrom = kept.length === 0 ? null : new Date(kept.reduce((a, b) => Math.min(a, b)));
      if (!wanted(sensorId, keptFrom)) return [];
      return [[sensorId, learn(fleet, new Map(), maturedLeads(own, isOfThen), teaching)]];
    }),
  );
}
