import { type SensorGrid, toSensorGrid } from "../data/context.ts";
import type { Fleet, Readings } from "../data/reading.ts";
import { AppError } from "../errors.ts";
import { type EncodeModel, encodeOwn, type RunModels } from "../forecast/serve.ts";
import { ridgeChanges } from "../model/fleet/encode.ts";
import type { FleetManifest, FleetVersion } from "../model/fleet/manifest.ts";
import type { Neighbour } from "../model/fleet/neighbours.ts";
import type { PartPlace } from "../model/fleet/pack.ts";
import type { SensorPart } from "../model/fleet/part.ts";
import type { PartFile } from "../model/fleet/part-file.ts";
import { fromPartFile } from "../model/fleet/part-tensors.ts";
import { createFleetEncoder } from "../model/fleet/tensors.ts";
import { prepare } from "../model/history.ts";
import type { FleetInference, Inference } from "../model/ports.ts";
import type { RegisteredModel } from "../model/registered.ts";
import type { FleetQuestion, ModelInput, ModelOutput } from "../model/tensors.ts";

/** The versions that a shard's models are of, and the sensors that these look at beside each of their own. */
export type ShardFleets = { fleets: Map<string, FleetManifest | AppError>; panel: string[] };

/** A sensor's part with its encoder, which remembers what ridge said of late. */
type Encoder = { file: PartFile; part: SensorPart; encode: ReturnType<typeof createFleetEncoder> };

/** As long as the part is kept, so is its encoder. */
const encoders = new WeakMap<PartFile, Encoder>();

/** Opens the fleets' versions of these models. One that cannot be opened costs its own sensors their model alone. */
export async function openShardFleets(
  inference: Pick<FleetInference, "open">,
  models: RegisteredModel[],
): Promise<ShardFleets> {
  const versions = new Map<string, FleetVersion>();
  for (const { manifest } of models) if (manifest.fleet) versions.set(keyOf(manifest.fleet), manifest.fleet);
  const opened = await Promise.all(
    [...versions].map(async ([key, { fleetId, digest }]) => {
      const fleet = await inference.open({ fleetId, digest }).catch(appError);
      return [key, fleet] as const;
    }),
  );
  const panel = opened.flatMap(([, fleet]) => (fleet instanceof AppError ? [] : fleet.panel));
  return { fleets: new Map(opened), panel: [...new Set(panel.map(({ sensorId }) => sensorId))] };
}

/**
 * Encodes a shard's models, those of a fleet with their parts and with the panel as it is known at the slot; `steps` of
 * history are looked at. A part that is missing, damaged or of another version throws when its model is asked for.
 */
export async function shardEncoder(
  inference: Pick<FleetInference, "parts">,
  { fleets }: ShardFleets,
  models: RegisteredModel[],
  known: { readings: Map<string, Readings>; fleet: Fleet; slot: Date; steps: number },
): Promise<EncodeModel> {
  const ofFleets = models.filter(({ manifest }) => manifest.fleet !== undefined);
  const encoderOf = new Map<string, Encoder | AppError>();
  const panels = new Map<string, Neighbour[]>();
  for (const [key, group] of Map.groupBy(ofFleets, ({ manifest }) => keyOf(manifest.fleet!))) {
    const fleet = fleets.get(key)!;
    if (fleet instanceof AppError) {
      for (const { modelId } of group) encoderOf.set(modelId, fleet);
      continue;
    }
    panels.set(
      key,
      knownPanel(inference, `${key}|${known.steps}`, known.slot, () => panelOf(fleet, known)),
    );
    const parts = await inference.parts(fleet.graph, group.map(placeOf));
    for (const { modelId, sensorId } of group)
      encoderOf.set(modelId, openEncoder(fleet, sensorId, parts.get(sensorId)));
  }
  return (model, sensor, fleet) => {
    const { modelId, modelSha256, manifest } = model;
    if (!manifest.fleet) return encodeOwn(model, sensor, fleet);
    const encoder = encoderOf.get(modelId);
    if (!encoder || encoder instanceof AppError) throw encoder ?? new AppError("notFound", `${modelId}: no part`);
    const key = keyOf(manifest.fleet);
    const { encoding } = fleets.get(key) as FleetManifest;
    const columns = columnsOf(encoding.targets, sensor, fleet);
    const { sequence, features, last, neighbours } = encoder.encode(columns, panels.get(key)!);
    const learnt = manifest.targets.map(({ name }) => encoding.targets.findIndex((target) => target.name === name));
    const changes = ridgeChanges(encoding, encoder.part, features, 0);
    const { fleetId, digest } = manifest.fleet;
    const version = { fleetId, digest };
    const targets = encoding.targets.length;
    const question: FleetQuestion = { version, part: encoder.file, changes, targets, learnt };
    const lastLearnt = Float64Array.from(learnt, (k) => last[k]!);
    return { modelId, modelSha256, sequence, features, fleet: question, last: lastLearnt, neighbours };
  };
}

/** Runs each fleet's version once for the whole batch, and the other models as they are. */
export function runShard(fleets: Pick<FleetInference, "run">, inference: Pick<Inference, "run">): RunModels {
  return async (inputs) => {
    const outputs = new Array<ModelOutput>(inputs.length);
    const places = inputs.map((input, i) => ({ input, i }));
    const groups = Map.groupBy(places, ({ input }) => (input.fleet ? keyOf(input.fleet.version) : ""));
    const running = [...groups].map(async ([key, group]) => {
      const answers = key === "" ? await inference.run(group.map(({ input }) => input)) : await runFleet(fleets, group);
      for (const [row, { i }] of group.entries()) outputs[i] = answers[row]!;
    });
    await Promise.all(running);
    return outputs;
  };
}

async function runFleet(fleets: Pick<FleetInference, "run">, group: { input: ModelInput }[]): Promise<ModelOutput[]> {
  const questions = group.map(({ input }) => input.fleet!);
  const rows = group.map(({ input: { sequence, features, fleet } }) => ({
    ...{ part: fleet!.part, changes: fleet!.changes },
    ...{ sequence, features },
  }));
  const answers = await fleets.run(questions[0]!.version, rows);
  return answers.map((answer, row) => {
    if (!answer.ok) return answer;
    const own = (values: Float32Array) => pickTargets(values, questions[row]!, rows[row]!.changes.length);
    return { ok: true, quantiles: own(answer.quantiles), ridge: answer.ridge && own(answer.ridge) };
  });
}

/** Of [leads, targets, quantiles] those of the learnt targets; `cells` is leads * targets. */
function pickTargets(values: Float32Array, { targets, learnt }: FleetQuestion, cells: number): Float32Array {
  if (learnt.length === targets) return values;
  const levels = values.length / cells;
  const picked = new Float32Array((cells / targets) * learnt.length * levels);
  for (let at = 0; at < picked.length; at++) {
    const cell = Math.floor(at / levels);
    const lead = Math.floor(cell / learnt.length);
    picked[at] = values[(lead * targets + learnt[cell % learnt.length]!) * levels + (at % levels)]!;
  }
  return picked;
}

function openEncoder(
  fleet: FleetManifest,
  sensorId: string,
  file: PartFile | AppError | undefined,
): Encoder | AppError {
  if (file === undefined) return new AppError("notFound", `the part of sensor ${sensorId} is not in the model store`);
  if (file instanceof AppError) return file;
  if (file.fleetId !== fleet.fleetId) {
    const text = `the part of sensor ${sensorId} is of fleet ${file.fleetId}, not of ${fleet.fleetId}`;
    return new AppError("artefactRejected", text);
  }
  const known = encoders.get(file);
  if (known) return known;
  const part = fromPartFile(file);
  const made = { file, part, encode: createFleetEncoder(fleet.encoding, part) };
  encoders.set(file, made);
  return made;
}

/** Of each process's fleets the panels of the newest slot. */
const newestPanels = new WeakMap<object, { slot: number; panels: Map<string, Neighbour[]> }>();

/** The panel as the slot's first shard knew it: the same for all of them, and made once. */
function knownPanel(inference: object, key: string, slot: Date, make: () => Neighbour[]): Neighbour[] {
  let newest = newestPanels.get(inference);
  if (newest?.slot !== slot.getTime()) newest = { slot: slot.getTime(), panels: new Map() };
  newestPanels.set(inference, newest);
  const panel = newest.panels.get(key) ?? make();
  newest.panels.set(key, panel);
  return panel;
}

/** The panel's sensors with a valid reading; late ones count as missing at the points that they lack. */
function panelOf(
  { panel, encoding }: FleetManifest,
  { readings, fleet, slot, steps }: { readings: Map<string, Readings>; fleet: Fleet; slot: Date; steps: number },
): Neighbour[] {
  return panel.flatMap(({ sensorId, change }) => {
    const own = readings.get(sensorId);
    const sensor = own && toSensorGrid(own, fleet, slot, steps);
    if (!sensor) return [];
    const { grid } = columnsOf(encoding.targets, sensor, fleet);
    return [{ sensorId, change, history: prepare(grid, encoding.features.links) }];
  });
}

/** The sensor with the columns of these targets, in their order. */
function columnsOf(targets: { name: string }[], sensor: SensorGrid, fleet: Fleet): SensorGrid {
  const columns = targets.map(({ name }) => {
    const column = sensor.grid.columns[fleet.targets.findIndex((target) => target.name === name)];
    if (column === undefined) throw new AppError("badInput", `the fleet's network needs target ${name}`);
    return column;
  });
  return { ...sensor, grid: { ...sensor.grid, columns } };
}

/** Where the part of a fleet's model lies. */
export function placeOf({ sensorId, modelSha256, manifest }: RegisteredModel): PartPlace {
  return { sensorId, pack: manifest.fleet!.pack, digest: modelSha256 };
}

function keyOf({ fleetId, digest }: FleetVersion): string {
  return `${fleetId}|${digest}`;
}

function appError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  throw error;
}
