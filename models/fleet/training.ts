import { type Grid, gridIndex, gridLength, gridTime } from "../../core/data/grid.ts";
import { observe } from "../../core/data/observed.ts";
import { prepare, withDayMeans } from "../../core/model/features.ts";
import { type FleetEncoding, fleetEncoding } from "../../core/model/fleet/encoding.ts";
import { choosePanel } from "../../core/model/fleet/neighbours.ts";
import type {
  FleetMember,
  FleetModel,
  FleetRequest,
  FleetResult,
  FleetSensor,
} from "../../core/model/fleet/training.ts";
import { nearReach } from "../../core/model/leads.ts";
import { minimumPoints } from "../../core/model/short-history.ts";
import type { TrainProgress, Untrained } from "../../core/model/training.ts";
import { addSeconds } from "../../core/time.ts";
import type { Engine } from "../engine/engine.ts";
import { policy } from "../policy.ts";
import { judgeColumn } from "../usable.ts";
import { type FleetData, toNeighbour, toTrainee } from "./dataset.ts";
import { fitFleetNetwork, stepsOf } from "./fit.ts";
import { fitPart } from "./part.ts";
import { fleetPolicy } from "./policy.ts";
import { type FleetPrior, fleetPrior } from "./prior.ts";

/** A fleet ready to be trained: its data, and its model but for the networks. */
export type PreparedFleet = { data: FleetData; members: FleetMember[]; refused: FleetResult["refused"] };

/** Closed form: grids, encoding, sensors' parts, panel. The windows of every sensor end at `now`. */
export function prepareFleet(request: FleetRequest): PreparedFleet | { refused: FleetResult["refused"] } {
  const { targets, stepSeconds, leads } = request;
  const grids = request.sensors.map((sensor) => ({ sensor, grid: sensorGrid(sensor, request) }));
  const encoding = fleetEncoding(targets, stepSeconds, leads, typicalLength(grids.map(({ grid }) => gridLength(grid))));
  const refused: FleetResult["refused"] = [];
  const prepareAll = (some: typeof grids, prior: FleetPrior | null) =>
    some.flatMap(({ sensor, grid }) => {
      const made = prepareSensor(encoding, sensor, grid, prior);
      if ("reason" in made) refused.push({ sensorId: sensor.sensorId, untrained: made });
      return "reason" in made ? [] : [made];
    });
  const known = prepareAll(
    grids.filter(({ grid }) => !isYoung(grid)),
    null,
  );
  const prior = fleetPrior(
    encoding,
    known.map(({ fit, isLearnt }) => ({ part: fit.part, totals: fit.totals, isLearnt })),
  );
  const young = prepareAll(
    grids.filter(({ grid }) => isYoung(grid)),
    prior,
  );
  const fits = [...known, ...young];
  if (fits.length === 0) return { refused };
  const panel = new Set(choosePanel(fits.map(({ fit }) => fit.part.sensorId)));
  const data: FleetData = {
    encoding,
    trainees: fits.map(({ fit, isLearnt }) => toTrainee(encoding, fit, isLearnt)),
    panel: fits.filter(({ fit }) => panel.has(fit.part.sensorId)).map(({ fit }) => toNeighbour(fit)),
  };
  const members = fits.map(({ fit, isLearnt, untrained }) => ({
    part: fit.part,
    isLearnt,
    validation: fit.validation,
    untrained,
    windows: fit.origins.length,
  }));
  return { data, members, refused };
}

/** Of a young sensor others know more than it has shown. */
function isYoung(grid: Grid): boolean {
  const { youngDays, youngSteps } = fleetPolicy;
  return gridLength(grid) < Math.max((youngDays * 86_400) / grid.stepSeconds, youngSteps);
}

function prepareSensor(
  encoding: FleetEncoding,
  { sensorId, trainEnd }: FleetSensor,
  grid: Grid,
  prior: FleetPrior | null,
) {
  const { targets, stepSeconds, leads, features } = encoding;
  const length = gridLength(grid);
  const need = minimumPoints(stepSeconds, nearReach(leads), prior !== null);
  const verdicts = targets.map((target, k) => judgeColumn(grid, k, target, { trainEnd: length, need }));
  const isLearnt = verdicts.map((verdict) => verdict === null);
  const untrained = verdicts.filter((verdict) => verdict !== null);
  if (!isLearnt.includes(true)) return untrained[0]!;
  const border = trainEnd === undefined ? Math.floor((7 * length) / 8) : gridIndex(grid, trainEnd);
  const history = withDayMeans(prepare(grid, features.links));
  const fit = fitPart(encoding, sensorId, history, Math.max(0, Math.min(length, border)), length, prior);
  if (fit === null) return tooFew(targets[0]!.name, length, need);
  return { fit, isLearnt, untrained };
}

function tooFew(target: string, have: number, need: number): Untrained {
  const message = `${target}: no window among ${have} steps to learn from; waits for readings`;
  return { target, reason: "shortHistory", message, have, need: Math.max(need, have + 1) };
}

/** The readings up to `now`; at most `maximumHistory` points back, so that one stray time cannot fill the memory. */
function sensorGrid({ readings }: FleetSensor, { targets, stepSeconds, now }: FleetRequest): Grid {
  const earliest = addSeconds(now, -policy.maximumHistory * stepSeconds).getTime();
  const known = readings.at.filter((at) => at >= earliest && at <= now.getTime());
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) {
    return { startAt: now, stepSeconds, columns: targets.map(() => new Float64Array(0)) };
  }
  // The last point is whole only when its time has come.
  const upTo = Math.min(now.getTime(), Math.ceil(last / (stepSeconds * 1000)) * stepSeconds * 1000);
  const { grid } = observe(readings, targets, stepSeconds, { from: new Date(first), upTo: new Date(upTo) });
  return gridTime(grid, gridLength(grid) - 1) > now
    ? { ...grid, columns: grid.columns.map((one) => one.slice(0, -1)) }
    : grid;
}

/**
 * The length that half of the sum of all lengths does not exceed: the features are those that most of what is learnt
 * from has.
 */
function typicalLength(lengths: number[]): number {
  const ascending = lengths.toSorted((a, b) => a - b);
  let rest = lengths.reduce((sum, length) => sum + length, 0) / 2;
  for (const length of ascending) {
    rest -= length;
    if (rest <= 0) return length;
  }
  return 0;
}

/** Seeds of a fleet's networks. */
export function networkSeeds(seed: number): number[] {
  return Array.from({ length: fleetPolicy.seeds }, (_, i) => (Math.imul(seed, 1009) + i) | 0);
}

/** Trains a group of sensors in this thread. Bad data are outcomes; a fit that diverges throws. */
export function trainFleet(
  engine: Engine,
  request: FleetRequest,
  cpuSeconds: () => number,
  onProgress: (progress: TrainProgress) => void,
): FleetResult {
  const startedCpu = cpuSeconds();
  const prepared = prepareFleet(request);
  if (!("data" in prepared)) return { model: null, refused: prepared.refused };
  const { data, members, refused } = prepared;
  const seeds = networkSeeds(request.seed);
  const each = stepsOf(data);
  const networks = seeds.map((seed, i) =>
    fitFleetNetwork(engine, data, seed, (done, loss) =>
      onProgress({ done: i * each + done, total: seeds.length * each, loss }),
    ),
  );
  const panel = data.panel.map(({ sensorId }) => sensorId);
  const model: FleetModel = {
    encoding: data.encoding,
    members,
    panel,
    networks,
    cpuSeconds: cpuSeconds() - startedCpu,
  };
  return { model, refused };
}
