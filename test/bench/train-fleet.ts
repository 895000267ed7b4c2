import { availableParallelism } from "node:os";
import type { FleetSensor } from "../../core/model/fleet/training.ts";
import { defaultLeads } from "../../core/model/leads.ts";
import { packSize } from "../../core/operations/admit-fleet.ts";
import { drawSensors } from "../../core/operations/teachers.ts";
import { defaultTrainSettings } from "../../core/operations/train-settings.ts";
import { workerFleetTrainer } from "../../functions/adapters/fleet.ts";
import type { EngineBuild } from "../../models/engine/engine.ts";
import { loadEngine } from "../../models/engine/load.ts";
import type { NetworkShape } from "../../models/layout.ts";
import { featureCount } from "../../models/layout.ts";
import { createNetwork } from "../../models/network.ts";
import { fleetOf, readingsOf, someSlot, wave } from "../builders.ts";

const batchRows = 512;
const drawnRows = 4096;
const options = { learningRate: 1e-3, weightDecay: 1e-4, clipNorm: 1, skipLearningRateFactor: 0.3 };

/** The network of a fleet of the usual size: two targets, 24 leads, 262 features, LSTM of 16 units. */
function shapeOf(sensors: number): NetworkShape {
  return {
    ...{ contextLength: 48, channels: 22, hidden: 16, targets: 2, horizon: 24, quantiles: [0.1, 0.5, 0.9] },
    ...{ linear: 63, extra: 136, branchUnits: 128, branchLayers: 2, branchEmbedding: 3, branchDropout: 0.1 },
    ...{ sensors, joinsHidden: true, contextFeatures: { from: 245, count: 17 }, contextDropout: 0.2, far: null },
  };
}

/**
 * CPU milliseconds of a step with its weight average on batches of 512 rows, the least of some rounds, by number of
 * sensors.
 */
export function measureFleet(build: EngineBuild, wide: boolean, fleets: number[]) {
  return fleets.map((sensors) => {
    const shape = shapeOf(sensors);
    const random = (size: number) => Float32Array.from({ length: drawnRows * size }, () => Math.random() * 2 - 1);
    const draw = (below: number, length: number) =>
      Int32Array.from({ length }, () => Math.floor(Math.random() * below));
    const data = {
      ...{
        rows: drawnRows,
        sequence: random(shape.contextLength * shape.channels),
        features: random(featureCount(shape)),
      },
      ...{ wanted: random(shape.targets * shape.horizon), sensor: draw(sensors, drawnRows) },
    };
    const network = createNetwork(loadEngine(build, wide), shape);
    const cpuMsOf = (steps: number) => {
      const from = process.cpuUsage();
      for (let step = 0; step < steps; step++) {
        network.step(data, draw(drawnRows, batchRows), options);
        network.average(0.98);
      }
      const { user, system } = process.cpuUsage(from);
      return (user + system) / 1e3 / steps;
    };
    cpuMsOf(20);
    const cpuMsPerStep = Math.min(...Array.from({ length: 5 }, () => cpuMsOf(20)));
    network.dispose();
    return { sensors, batch: batchRows, cpuMsPerStep: Number(cpuMsPerStep.toPrecision(3)) };
  });
}

const days = 121;
const stepSeconds = 600;

/**
 * Wall and CPU seconds of a fleet's training as the schedule does it, by the teachers and then everybody else's parts,
 * on all cores; and of one more sensor.
 */
export async function measureTraining(sensors: number) {
  const fleet = fleetOf({ leads: defaultLeads(stepSeconds) });
  const { mostTeachers, codeVersion } = defaultTrainSettings(fleet, "bench");
  const ids = Array.from({ length: sensors }, (_, i) => `sensor-${i}`);
  const teachers = new Set(drawSensors(ids, mostTeachers));
  const trainer = workerFleetTrainer();
  const common = { now: someSlot, codeVersion, seed: 1 };
  const shape = { targets: fleet.targets, stepSeconds, leads: fleet.leads };
  const taught = await timed(() =>
    trainer.trainVersion({ sensors: ids.filter((id) => teachers.has(id)).map(sensorOf), ...shape, ...common }),
  );
  const { artefact, prior } = taught.result.fleet!;
  const parts = { version: artefact.manifest, prior, engine: artefact.manifest.training.engine, ...common };
  const others = ids.filter((id) => !teachers.has(id));
  const packs = Array.from({ length: Math.ceil(others.length / packSize) }, (_, i) =>
    others.slice(i * packSize, (i + 1) * packSize),
  );
  const rest = await timed(() =>
    Promise.all(packs.map((some) => trainer.fitParts({ sensors: some.map(sensorOf), ...parts }))),
  );
  const one = await timed(() => trainer.fitParts({ sensors: [sensorOf("one-more")], ...parts }));
  const figures = { cores: availableParallelism(), sensors, days, leads: fleet.leads.length, teachers: teachers.size };
  const of = ({ wallSeconds, cpuSeconds }: { wallSeconds: number; cpuSeconds: number }) => ({
    wallSeconds,
    cpuSeconds,
  });
  return { ...figures, network: of(taught), otherParts: of(rest), oneMore: of(one) };
}

function sensorOf(sensorId: string): FleetSensor {
  const seed = Number(sensorId.split("-")[1]) || 0;
  const columns = { temperature: wave(days * 144, { seed }), humidity: wave(days * 144, { seed: seed + 1, mean: 45 }) };
  return { sensorId, readings: readingsOf(columns, { stepSeconds }) };
}

async function timed<T>(work: () => Promise<T>) {
  const [from, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  const round = (value: number) => Number(value.toPrecision(3));
  return { result, wallSeconds: round((performance.now() - from) / 1e3), cpuSeconds: round((user + system) / 1e6) };
}
