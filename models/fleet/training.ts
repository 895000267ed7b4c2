import { type Grid, gridLength } from "../../core/data/grid.ts";
import { type FleetEncoding, fleetEncoding } from "../../core/model/fleet/encoding.ts";
import { choosePanel } from "../../core/model/fleet/neighbours.ts";
import type { FleetMember, FleetModel, FleetRequest, FleetResult } from "../../core/model/fleet/training.ts";
import type { TrainProgress, Untrained } from "../../core/model/training.ts";
import type { Engine } from "../engine/engine.ts";
import { type FleetData, toNeighbour, toTrainee } from "./dataset.ts";
import { fitFleetNetwork, stepsOf } from "./fit.ts";
import { fleetPolicy, windowsOfTeacher } from "./policy.ts";
import { type FleetPrior, fleetPrior } from "./prior.ts";
import { isYoung, prepareTeacher, type SensorToFit, sensorGrid, type Teacher, toMember } from "./sensor.ts";

/** A fleet ready to be trained: its data, and its model but for the networks. */
export type PreparedFleet = {
  data: FleetData;
  members: FleetMember[];
  prior: FleetPrior | null;
  refused: FleetResult["refused"];
};

/** A sensor whose part is to be fitted, and its readings on the grid. */
export type GriddedSensor = { sensor: SensorToFit; grid: Grid };

/** Fits the parts of those that teach, one for each in their order; `prior` where they are young. */
export type PrepareSensors = (
  encoding: FleetEncoding,
  sensors: GriddedSensor[],
  prior: FleetPrior | null,
) => Promise<(Teacher | Untrained)[]>;

/** One sensor after the other, in this thread. */
export const prepareInTurn: PrepareSensors = async (encoding, sensors, prior) =>
  sensors.map(({ sensor, grid }) => prepareTeacher(encoding, sensor, grid, prior));

/** Closed form: grids, encoding, sensors' parts, panel. The windows of every sensor end at `now`. */
export async function prepareFleet(
  request: FleetRequest,
  prepareSensors: PrepareSensors = prepareInTurn,
): Promise<PreparedFleet | { refused: FleetResult["refused"] }> {
  const { targets, stepSeconds, leads } = request;
  const grids = request.sensors.map((sensor) => ({
    sensor,
    grid: sensorGrid(sensor, targets, stepSeconds, request.now),
  }));
  const encoding = fleetEncoding(targets, stepSeconds, leads, typicalLength(grids.map(({ grid }) => gridLength(grid))));
  const refused: FleetResult["refused"] = [];
  const mostWindows = windowsOfTeacher(grids.length);
  // What fitting it takes of a sensor, which may be posted to another thread.
  const toFit = ({ sensor: { sensorId, trainEnd }, grid }: (typeof grids)[number]): GriddedSensor => ({
    ...{ sensor: { sensorId, mostWindows, ...(trainEnd ? { trainEnd } : {}) }, grid },
  });
  const prepareAll = async (some: typeof grids, prior: FleetPrior | null) =>
    (await prepareSensors(encoding, some.map(toFit), prior)).flatMap((made, i) => {
      if ("reason" in made) refused.push({ sensorId: some[i]!.sensor.sensorId, untrained: made });
      return "reason" in made ? [] : [made];
    });
  const known = await prepareAll(
    grids.filter(({ grid }) => !isYoung(gridLength(grid), encoding)),
    null,
  );
  const prior = fleetPrior(
    encoding,
    known.map(({ fit, isLearnt }) => ({ part: fit.part, totals: fit.totals, isLearnt })),
  );
  const young = await prepareAll(
    grids.filter(({ grid }) => isYoung(gridLength(grid), encoding)),
    prior,
  );
  const fits = [...known, ...young];
  if (fits.length === 0) return { refused };
  const panel = new Set(choosePanel(fits.map(({ fit }) => fit.part.sensorId)));
  const data: FleetData = {
    encoding,
    trainees: fits.map((teacher) => toTrainee(encoding, teacher)),
    panel: fits.filter(({ fit }) => panel.has(fit.part.sensorId)).map(({ fit }) => toNeighbour(fit)),
  };
  return { data, members: fits.map(toMember), prior, refused };
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

/** A trained fleet, and what is expected of its sensors to come; null where no sensor could teach that. */
export type TrainedFleet = FleetResult & { prior: FleetPrior | null };

/** Fits a network for each seed; the weights in the seeds' order. */
export type FitNetworks = (
  data: FleetData,
  seeds: number[],
  onProgress: (progress: TrainProgress) => void,
) => Promise<Float32Array[]>;

/** One network after the other, in this thread. */
export function fitInTurn(engine: Engine): FitNetworks {
  return async (data, seeds, onProgress) => {
    const each = stepsOf(data);
    const total = seeds.length * each;
    return seeds.map((seed, i) =>
      fitFleetNetwork(engine, data, seed, (done, loss) => onProgress({ done: i * each + done, total, loss })),
    );
  };
}

/** Those who do the work: one thread or several, with the same numbers; `cpuSeconds` of all of them so far. */
export type Crew = { prepareSensors: PrepareSensors; fitNetworks: FitNetworks; cpuSeconds(): number };

/** Trains a group of sensors. Bad data are outcomes; a fit that diverges throws. */
export async function trainFleet(
  crew: Crew,
  request: FleetRequest,
  onProgress: (progress: TrainProgress) => void,
): Promise<TrainedFleet> {
  const startedCpu = crew.cpuSeconds();
  const prepared = await prepareFleet(request, crew.prepareSensors);
  if (!("data" in prepared)) return { model: null, prior: null, refused: prepared.refused };
  const { data, members, prior, refused } = prepared;
  const networks = await crew.fitNetworks(data, networkSeeds(request.seed), onProgress);
  const panel = data.panel.map(({ sensorId }) => sensorId);
  const cpuSeconds = crew.cpuSeconds() - startedCpu;
  const model: FleetModel = { encoding: data.encoding, members, panel, networks, cpuSeconds };
  return { model, prior, refused };
}
