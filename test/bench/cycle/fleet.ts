import type { Readings, Target } from "../../../core/data/reading.ts";
import { fleetEncoding, fleetHistoryLength } from "../../../core/model/fleet/encoding.ts";
import type { ArtefactFiles } from "../../../core/model/fleet/files.ts";
import { choosePanel } from "../../../core/model/fleet/neighbours.ts";
import { decodePart, encodePart, halvedTensors } from "../../../core/model/fleet/part-file.ts";
import type { BuiltSensor, FleetModel } from "../../../core/model/fleet/training.ts";
import type { ModelManifest } from "../../../core/model/manifest.ts";
import type { Registry } from "../../../core/model/ports.ts";
import { sha256Of } from "../../../core/model/sha256.ts";
import { storeFleet } from "../../../core/operations/admit-fleet.ts";
import { addSeconds } from "../../../core/time.ts";
import { loadEngine } from "../../../models/engine/load.ts";
import { fleetShape } from "../../../models/fleet/dataset.ts";
import { fleetPolicy } from "../../../models/fleet/policy.ts";
import { prepareSensor, sensorGrid, toMember } from "../../../models/fleet/sensor.ts";
import { buildFleetVersion } from "../../../models/fleet/version.ts";
import { buildWeights } from "../../models/engine/builders.ts";

const stepSeconds = 600;
const taughtDays = 40;
/** Sensors with a part that was fitted; the others have one of these under their own name. */
const fittedSensors = 4;

/** The targets' means and daily swings; the readings of the benchmark's table are like these. */
const waves = [
  { mean: 20, swing: 3 },
  { mean: 50, swing: 10 },
];

/**
 * The encoding of a fleet of two targets that knows weeks of its sensors, and the days of readings that it looks back.
 */
export function benchEncoding(targets: Target[], leads: number[]) {
  const encoding = fleetEncoding(targets, stepSeconds, leads, taughtDays * 144);
  return { encoding, days: Math.ceil((fleetHistoryLength(encoding) * stepSeconds) / 86_400) };
}

/**
 * One version with a part for each sensor, in packs, as training stores them: parts in closed form, a panel, networks
 * of the usual size with random weights (small ones: the forecasts are ridge's, and believable). Champions all.
 */
export async function enlistFleet(
  { registry, files }: { registry: Registry; files: ArtefactFiles },
  { targets, leads, ids, now }: { targets: Target[]; leads: number[]; ids: string[]; now: Date },
): Promise<{ onnxBytes: number; partBytes: number }> {
  const { encoding } = benchEncoding(targets, leads);
  const panel = choosePanel(ids);
  const fitted = panel.slice(0, fittedSensors).map((sensorId) => {
    const sensor = { sensorId, readings: waveReadings(targets, Number(sensorId), now) };
    const made = prepareSensor(encoding, sensor, sensorGrid(sensor, targets, stepSeconds, now), null);
    if ("reason" in made) throw new Error(made.message);
    return { sensor, member: toMember(made) };
  });
  const some = panel.map((sensorId, i) => {
    const { sensor, member } = fitted[i % fitted.length]!;
    return { sensor: { ...sensor, sensorId }, member: { ...member, part: { ...member.part, sensorId } } };
  });
  const members = some.map(({ member }) => member);
  const shape = fleetShape(encoding, members.length);
  const networks = Array.from({ length: fleetPolicy.seeds }, (_, i) => buildWeights(shape, i, 0.01));
  const model: FleetModel = { encoding, members, panel, networks, cpuSeconds: 0 };
  const request = { sensors: some.map(({ sensor }) => sensor), targets, stepSeconds, leads, seed: 1, now };
  const built = await buildFleetVersion(loadEngine(), request, model, null, "bench");
  const templates = built.sensors.slice(0, fitted.length);
  const { fleetId, graph } = built.artefact.manifest;
  const copies = ids.map(async (sensorId, i): Promise<BuiltSensor> => {
    const { manifest, bytes, sums } = templates[i % templates.length]!;
    const file = { ...decodePart(manifest.sensorId, bytes, graph), sensorId };
    const own = encodePart(file, graph, halvedTensors);
    const named = { modelId: `bench-${sensorId}`, sensorId, modelSha256: await sha256Of(own) };
    return { manifest: { ...manifest, ...named }, bytes: own, sums };
  });
  const sensors = await Promise.all(copies);
  const manifests = await storeFleet(files, { ...built, sensors });
  await register(registry, { fleetId, digest: built.artefact.digest }, manifests, now);
  return { onnxBytes: built.artefact.onnx.length, partBytes: sensors[0]!.bytes.length };
}

async function register(
  registry: Registry,
  version: { fleetId: string; digest: string },
  manifests: ModelManifest[],
  now: Date,
): Promise<void> {
  await registry.registerFleet({ ...version, group: "", statusReason: "bench", now });
  await registry.promoteFleet(version.fleetId, { kept: [], reason: "bench", now });
  for (const manifest of manifests) {
    await registry.register({ manifest, digest: manifest.modelSha256, statusReason: "bench", now });
    await registry.promote(manifest.modelId, "bench", now);
  }
}

/** A daily wave with unrest, as the table's. */
function waveReadings(targets: Target[], seed: number, end: Date): Readings {
  const length = taughtDays * 144;
  const at = Float64Array.from({ length }, (_, i) => addSeconds(end, (i + 1 - length) * stepSeconds).getTime());
  const columns = targets.map(({ name }, k) => {
    const { mean, swing } = waves[k]!;
    const valueAt = (ms: number) => {
      const seconds = ms / 1000;
      const unrest = 0.2 * Math.sin((seconds * (1 + (seed % 7))) / 977);
      return mean + (seed % 500) * 0.01 + swing * Math.sin((2 * Math.PI * seconds) / 86_400) + unrest;
    };
    return [name, at.map(valueAt)];
  });
  return { at, values: Object.fromEntries(columns) };
}
