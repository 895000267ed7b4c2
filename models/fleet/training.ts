import { gridLength } from "../../core/data/grid.ts";
import { fleetEncoding } from "../../core/model/fleet/encoding.ts";
import { choosePanel } from "../../core/model/fleet/neighbours.ts";
import type { FleetMember, FleetModel, FleetRequest, FleetResult } from "../../core/model/fleet/training.ts";
import type { TrainProgress } from "../../core/model/training.ts";
import type { Engine } from "../engine/engine.ts";
import { type FleetData, toNeighbour, toTrainee } from "./dataset.ts";
import { fitFleetNetwork, stepsOf } from "./fit.ts";
import { fleetPolicy } from "./policy.ts";
import { type FleetPrior, fleetPrior } from "./prior.ts";
import { isYoung, prepareSensor, sensorGrid, toMember } from "./sensor.ts";

/** A fleet ready to be trained: its data, and its model but for the networks. */
export type PreparedFleet = {
  data: FleetData;
  members: FleetMember[];
  prior: FleetPrior | null;
  refused: FleetResult["refused"];
};

/** Closed form: grids, encoding, sensors' parts, panel. The windows of every sensor end at `now`. */
export function prepareFleet(request: FleetRequest): PreparedFleet | { refused: FleetResult["refused"] } {
  const { targets, stepSeconds, leads } = request;
  const grids = request.sensors.map((sensor) => ({
    sensor,
    grid: sensorGrid(sensor, targets, stepSeconds, request.now),
  }));
  const encoding = fleetEncoding(targets, stepSeconds, leads, typicalLength(grids.map(({ grid }) => gridLength(grid))));
  const refused: FleetResult["refused"] = [];
  const prepareAll = (some: typeof grids, prior: FleetPrior | null) =>
    some.flatMap(({ sensor, grid }) => {
      const made = prepareSensor(encoding, sensor, grid, prior);
      if ("reason" in made) refused.push({ sensorId: sensor.sensorId, untrained: made });
      return "reason" in made ? [] : [made];
    });
  const known = prepareAll(
    grids.filter(({ grid }) => !isYoung(gridLength(grid), encoding)),
    null,
  );
  const prior = fleetPrior(
    encoding,
    known.map(({ fit, isLearnt }) => ({ part: fit.part, totals: fit.totals, isLearnt })),
  );
  const young = prepareAll(
    grids.filter(({ grid }) => isYoung(gridLength(grid), encoding)),
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

/** Trains a group of sensors in this thread. Bad data are outcomes; a fit that diverges throws. */
export function trainFleet(
  engine: Engine,
  request: FleetRequest,
  cpuSeconds: () => number,
  onProgress: (progress: TrainProgress) => void,
): TrainedFleet {
  const startedCpu = cpuSeconds();
  const prepared = prepareFleet(request);
  if (!("data" in prepared)) return { model: null, prior: null, refused: prepared.refused };
  const { data, members, prior, refused } = prepared;
  const seeds = networkSeeds(request.seed);
  const each = stepsOf(data);
  const networks = seeds.map((seed, i) =>
    fitFleetNetwork(engine, data, seed, (done, loss) =>
      onProgress({ done: i * each + done, total: seeds.length * each, loss }),
    ),
  );
  const panel = data.panel.map(({ sensorId }) => sensorId);
  const { encoding } = data;
  const model: FleetModel = { encoding, members, panel, networks, cpuSeconds: cpuSeconds() - startedCpu };
  return { model, prior, refused };
}
