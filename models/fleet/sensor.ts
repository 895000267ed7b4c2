import { withoutLeftOut } from "../../core/annotation/left-out.ts";
import { type Grid, gridIndex, gridLength, gridTime } from "../../core/data/grid.ts";
import { observe } from "../../core/data/observed.ts";
import type { Target } from "../../core/data/reading.ts";
import type { FleetEncoding } from "../../core/model/fleet/encoding.ts";
import type { RidgeMemory } from "../../core/model/fleet/recall.ts";
import type { FleetMember, FleetSensor } from "../../core/model/fleet/training.ts";
import { prepare, withDayMeans } from "../../core/model/history.ts";
import { nearReach } from "../../core/model/leads.ts";
import { minimumPoints } from "../../core/model/short-history.ts";
import type { Untrained } from "../../core/model/training.ts";
import { addSeconds } from "../../core/time.ts";
import { crossMemory } from "./cross-memory.ts";
import { fitPart, type PartFit } from "./part.ts";
import { fleetPolicy } from "./policy.ts";
import type { FleetPrior } from "./prior.ts";
import { encodeSums } from "./sums-file.ts";
import { judgeColumn } from "./usable.ts";

/** A sensor with its part, per target whether it is learnt, and why the others are not. */
export type FittedSensor = { fit: PartFit; isLearnt: boolean[]; untrained: Untrained[] };

/** A fitted sensor that teaches; `memory`: ridge's changes at all points, by ridges that had not seen their block. */
export type Teacher = FittedSensor & { memory: RidgeMemory };

/** What a fitted sensor brings into its fleet's model. */
export function toMember({ fit, isLearnt, untrained }: FittedSensor): FleetMember {
  const { part, validation, sums, origins } = fit;
  const kept = sums && { through: new Date(sums.throughSeconds * 1000), bytes: encodeSums(sums) };
  return { part, isLearnt, validation, sums: kept, untrained, windows: origins.length };
}

/** Of a young sensor others know more than it has shown. */
export function isYoung(points: number, { stepSeconds }: Pick<FleetEncoding, "stepSeconds">): boolean {
  const { youngDays, youngSteps } = fleetPolicy;
  return points < Math.max((youngDays * 86_400) / stepSeconds, youngSteps);
}

/** What of a sensor its fit needs to know beside the grid; as many windows as of one that teaches alone by default. */
export type SensorToFit = Pick<FleetSensor, "sensorId" | "trainEnd"> & { mostWindows?: number };

/** The part of a sensor, or why it cannot have one; `prior` where it is young. */
export function prepareSensor(
  encoding: FleetEncoding,
  { sensorId, trainEnd, mostWindows }: SensorToFit,
  grid: Grid,
  prior: FleetPrior | null,
): FittedSensor | Untrained {
  const { targets, stepSeconds, leads, features } = encoding;
  const length = gridLength(grid);
  const need = minimumPoints(stepSeconds, nearReach(leads), prior !== null);
  const verdicts = targets.map((target, k) => judgeColumn(grid, k, target, { trainEnd: length, need }));
  const isLearnt = verdicts.map((verdict) => verdict === null);
  const untrained = verdicts.filter((verdict) => verdict !== null);
  if (!isLearnt.includes(true)) return untrained[0]!;
  const border = trainEnd === undefined ? Math.floor((7 * length) / 8) : gridIndex(grid, trainEnd);
  const history = withDayMeans(prepare(grid, features.links));
  const trainPoints = Math.max(0, Math.min(length, border));
  const fit = fitPart(encoding, sensorId, history, trainPoints, length, prior, mostWindows);
  if (fit === null) return tooFew(targets[0]!.name, length, need);
  return { fit, isLearnt, untrained };
}

/** The same of a sensor that teaches the network. */
export function prepareTeacher(...of: Parameters<typeof prepareSensor>): Teacher | Untrained {
  const made = prepareSensor(...of);
  return "reason" in made ? made : { ...made, memory: crossMemory(of[0], made.fit) };
}

function tooFew(target: string, have: number, need: number): Untrained {
  const message = `${target}: no window among ${have} steps to learn from; waits for readings`;
  return { target, reason: "shortHistory", message, have, need: Math.max(need, have + 1) };
}

/**
 * The readings up to `now` as serving sees them, without what is left out of learning; at most `mostPoints` points
 * back, so that one stray time cannot fill the memory.
 */
export function sensorGrid(
  { readings, leftOut = [] }: Pick<FleetSensor, "readings" | "leftOut">,
  targets: Target[],
  stepSeconds: number,
  now: Date,
): Grid {
  const earliest = addSeconds(now, -fleetPolicy.mostPoints * stepSeconds).getTime();
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const at of readings.at) {
    if (!(at >= earliest && at <= now.getTime())) continue;
    if (at < first) first = at;
    if (at > last) last = at;
  }
  if (last < first) return { startAt: now, stepSeconds, columns: targets.map(() => new Float64Array(0)) };
  // The last point is whole only when its time has come.
  const upTo = Math.min(now.getTime(), Math.ceil(last / (stepSeconds * 1000)) * stepSeconds * 1000);
  const observed = observe(readings, targets, stepSeconds, { from: new Date(first), upTo: new Date(upTo) });
  const grid = withoutLeftOut(observed.grid, targets, leftOut);
  return gridTime(grid, gridLength(grid) - 1) > now
    ? { ...grid, columns: grid.columns.map((one) => one.slice(0, -1)) }
    : grid;
}
