import type { FleetEncoding } from "../../core/model/fleet/encoding.ts";
import type { SensorPart } from "../../core/model/fleet/part.ts";
import { addEquations, type NormalEquations } from "../ridge/linear.ts";
import { fleetPolicy } from "./policy.ts";
import type { FleetPrior } from "./prior.ts";

/** The equations with `rows` rows of the fleet's mean ones added, whose changes are in usual ones of `change`. */
export function addPrior(
  own: NormalEquations,
  { gram, product }: FleetPrior["equations"][number],
  change: number,
  rows: number,
): NormalEquations {
  return addEquations(own, {
    ...own,
    gram: gram.map((value) => rows * value),
    ownGram: new Map(),
    product: product.map((value) => rows * change * value),
    counts: own.counts.map(() => rows),
  });
}

/** Bands of a sensor that has shown itself for a day are wider by two fifths, after two weeks by a thirtieth. */
function doubt(days: number): number {
  return Math.sqrt(1 + 1 / Math.max(days, 0.25));
}

/** Days after which a sensor's own constants count for half. */
const constantDays = 7;

/** The part of a young sensor: its scales are drawn to the fleet's, its quantiles' shape is the fleet's. */
export function shrinkPart(
  encoding: FleetEncoding,
  part: SensorPart,
  prior: FleetPrior,
  rows: number,
  days: number,
): SensorPart {
  const targets = encoding.targets.length;
  const { change } = part.scaler;
  const { priorScaleRows } = fleetPolicy;
  const shrunk = (own: Float32Array, usual: number[], targetOf: (i: number) => number, wider: number) =>
    own.map((value, i) => {
      const expected = usual[i]! * change[targetOf(i)]!;
      return wider * Math.sqrt((rows * value ** 2 + priorScaleRows * expected ** 2) / (rows + priorScaleRows));
    });
  const residualScale = shrunk(part.residualScale, prior.residualScale, (cell) => cell % targets, doubt(days));
  const levels = part.bands.length / residualScale.length;
  const trust = days / (days + constantDays);
  return {
    ...part,
    residualScale,
    widths: Float32Array.from(prior.widths),
    bands: Float32Array.from(prior.bands, (value, i) => value * residualScale[Math.floor(i / levels)]!),
    errorScale: shrunk(part.errorScale, prior.errorScale, (i) => Math.floor(i / encoding.errorLeads.length), 1),
    pathScale: shrunk(part.pathScale, prior.pathScale, (i) => Math.floor(i / encoding.pathLeads.length), 1),
    constants: part.constants.map((value, i) => trust * value + (1 - trust) * prior.constants[i]!),
  };
}
