import type { FleetGolden, FleetRow } from "../../core/model/fleet/golden.ts";
import type { Engine } from "../engine/engine.ts";
import { leadCount, type TrainingRows } from "../layout.ts";
import { createNetwork } from "../network.ts";
import type { FleetExport } from "./fleet.ts";

/** Rounding of weights to float16 may move a quantile by this much, in residual scales. */
const goldenTolerance = 5e-3;

/**
 * Golden vectors: rows as the graph takes them, each with its sensor's part, and the training engine's own answer.
 * `sensors` says which of the networks' skips each row has, `widths` [sensors, leads, targets, quantiles - 1] are those
 * that they started from.
 */
export function createFleetGolden(
  engine: Engine,
  { shape, members, ridgeShare }: FleetExport,
  widths: Float32Array,
  rows: FleetRow[],
  sensors: Int32Array,
): FleetGolden {
  const data: TrainingRows = {
    rows: rows.length,
    sequence: joinRows(rows.map(({ sequence }) => sequence)),
    features: joinRows(rows.map(({ features }) => features)),
    wanted: new Float32Array(rows.length * leadCount(shape) * shape.targets),
    sensor: sensors,
  };
  const network = createNetwork(engine, shape);
  try {
    const predicted = members.map((weights) => {
      network.reset(0, widths);
      network.setWeights(withSkips(weights, rows, sensors));
      return network.predict(data, false);
    });
    const leads = leadCount(shape);
    const size = leads * shape.targets * shape.quantiles.length;
    const quantiles = rows.map(({ part, changes }, row) =>
      Float32Array.from({ length: size }, (_, i) => {
        const cell = Math.floor(i / shape.quantiles.length);
        const [lead, target] = [Math.floor(cell / shape.targets), cell % shape.targets];
        const mean = predicted.reduce((sum, values) => sum + values[row * size + i]!, 0) / members.length;
        const beside =
          (1 - ridgeShare) * part.tensors.residualScale![cell]! * mean + ridgeShare * part.tensors.bands![i]!;
        return changes[target * leads + lead]! + beside;
      }),
    );
    return { rows, quantiles, tolerance: goldenTolerance };
  } finally {
    network.dispose();
  }
}

/**
 * A member's weights with the skips that the rows bring: only the mean of the members' counts, and the rows' may be
 * rounded. The skips come first in the weights.
 */
function withSkips(weights: Float32Array, rows: FleetRow[], sensors: Int32Array): Float32Array {
  const own = weights.slice();
  for (const [row, { part }] of rows.entries()) {
    const skip = part.tensors.skip ?? new Float32Array();
    own.set(skip, sensors[row]! * skip.length);
  }
  return own;
}

function joinRows(rows: Float32Array[]): Float32Array {
  return Float32Array.from(rows.flatMap((row) => Array.from(row)));
}
