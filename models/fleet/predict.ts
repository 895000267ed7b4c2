import { ridgeChanges } from "../../core/model/fleet/encode.ts";
import { featurePlaces } from "../../core/model/fleet/encoding.ts";
import type { FleetAnswer, FleetModel, FleetRow } from "../../core/model/fleet/training.ts";
import type { Engine } from "../engine/engine.ts";
import { createNetwork } from "../network.ts";
import { fleetShape, widthsOf } from "./dataset.ts";
import { fleetPolicy } from "./policy.ts";

/** Runs a fleet's networks on the training engine. */
export function createFleetPredictor(engine: Engine, model: FleetModel) {
  const { encoding, members, networks } = model;
  const shape = fleetShape(encoding, members.length);
  const nets = networks.map((weights) => {
    const net = createNetwork(engine, shape);
    net.reset(0, widthsOf(members));
    net.setWeights(weights);
    return net;
  });
  const window = shape.contextLength * shape.channels;
  const { count } = featurePlaces(encoding);
  const targets = encoding.targets.length;
  const leads = encoding.leads.length;
  const levels = fleetPolicy.quantiles.length;
  const size = leads * targets * levels;
  const { networkShare, ridgeShare } = fleetPolicy;

  function answer(row: FleetRow, predicted: Float32Array[], at: number): FleetAnswer {
    const { part } = members[row.member]!;
    const changes = ridgeChanges(encoding, part, row.features, 0);
    const quantiles = new Float32Array(size);
    const ridge = new Float32Array(size);
    for (let i = 0; i < size; i++) {
      const cell = Math.floor(i / levels);
      const change = changes[(cell % targets) * leads + Math.floor(cell / targets)]!;
      const mean = predicted.reduce((sum, one) => sum + one[at * size + i]!, 0) / predicted.length;
      quantiles[i] = change + networkShare * part.residualScale[cell]! * mean + ridgeShare * part.bands[i]!;
      ridge[i] = change + part.bands[i]!;
    }
    return { quantiles, ridge };
  }

  return {
    predict(rows: FleetRow[]): FleetAnswer[] {
      const data = {
        rows: rows.length,
        sequence: new Float32Array(rows.length * window),
        features: new Float32Array(rows.length * count),
        wanted: new Float32Array(rows.length * leads * targets),
        sensor: Int32Array.from(rows, ({ member }) => member),
      };
      rows.forEach(({ sequence, features }, i) => {
        data.sequence.set(sequence, i * window);
        data.features.set(features, i * count);
      });
      const predicted = nets.map((net) => net.predict(data, false));
      return rows.map((row, i) => answer(row, predicted, i));
    },
    dispose: () => {
      for (const net of nets) net.dispose();
    },
  };
}
