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

/**
 * The part of a young sensor: its scales are drawn to the fleet's, its quantiles' shape is the fleet's. `rows`, per
 * target [leads]: how many say what its own scales are.
 */
export function shrinkPart(
  encoding: FleetEncoding,
  part: SensorPart,
  prior: FleetPrior,
  rows: ArrayLike<number>[],
  days: number,
): SensorPart {
  const targets = encoding.targets.length;
  const { change } = part.scaler;
  const { priorScaleRows } = fleetPolicy;
  type Cell = [target: number, lead: number];
  const shrunk = (own: Float32Array, usual: number[], cellOf: (i: number) => Cell, wider: number) =>
    own.map((value, i) => {
      const [k, lead] = cellOf(i);
      const [count, expected] = [rows[k]![encoding.leads.indexOf(lead)]!, usual[i]! * change[k]!];
      return wider * Math.sqrt((count * value ** 2 + priorScaleRows * expected ** 2) / (count + priorScaleRows));
    });
  const perTarget =
    (leads: number[]) =>
    (i: number): Cell => [Math.floor(i / leads.length), leads[i % leads.length]!];
  const ofCell = (cell: number): Cell => [cell % targets, encoding.leads[Math.floor(cell / targets)]!];
  const residualScale = shrunk(part.residualScale, prior.residualScale, ofCell, doubt(days));
  const levels = part.bands.length / residualScale.length;
  const trust = days / (days + constantDays);
  return {
    ...part,
    residualScale,
    widths: Float32Array.from(prior.widths),
    bands: Float32Array.from(prior.bands, (value, i) => value * residualScale[Math.floor(i / levels)]!),
    errorScale: shrunk(part.errorScale, prior.errorScale, perTarget(encoding.errorLeads), 1),
    pathScale: shrunk(part.pathScale, prior.pathScale, perTarget(encoding.pathLeads), 1),
    constants: part.constants.map((value, i) => trust * value + (1 - trust) * prior.constants[i]!),
  };
}
