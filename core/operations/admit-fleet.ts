import type { Fleet } from "../data/reading.ts";
import { AppError } from "../errors.ts";
import { misfit } from "../forecast/plan.ts";
import { saveFleet } from "../model/fleet/artefact.ts";
import type { ArtefactFiles } from "../model/fleet/files.ts";
import { decodeGolden } from "../model/fleet/golden.ts";
import type { FleetVersion } from "../model/fleet/manifest.ts";
import { savePack } from "../model/fleet/pack.ts";
import { fleetGoldenGap } from "../model/fleet/soundness.ts";
import type { BuiltFleet } from "../model/fleet/training.ts";
import type { ModelManifest } from "../model/manifest.ts";
import type { FleetInference } from "../model/ports.ts";
import type { Verdict } from "../model/verify.ts";
import type { Ports } from "../ports.ts";

/** Parts that lie in one pack: about those of a shard. */
const packSize = 100;

/** Stores a version with its sensors' parts; the sensors' manifests, which say where their parts lie. */
export async function storeFleet(files: ArtefactFiles, { artefact, sensors }: BuiltFleet): Promise<ModelManifest[]> {
  const { digest, manifest } = artefact;
  await saveFleet(files, artefact);
  const ordered = sensors.toSorted((a, b) => (a.manifest.sensorId < b.manifest.sensorId ? -1 : 1));
  const placed: ModelManifest[] = [];
  for (let from = 0; from < ordered.length; from += packSize) {
    const some = ordered.slice(from, from + packSize);
    const parts = some.map(({ manifest: { sensorId }, bytes }) => ({ sensorId, bytes }));
    const places = await savePack(files, parts);
    for (const [i, { manifest: own }] of some.entries()) {
      placed.push({ ...own, fleet: { fleetId: manifest.fleetId, digest, pack: places[i]!.pack } });
    }
  }
  return placed;
}

/**
 * Whether the store gives a version back that answers its golden vectors, and these sensors' parts, each by its digest.
 */
export async function verifyFleet(
  inference: Pick<FleetInference, "open" | "parts">,
  version: FleetVersion,
  sensors: ModelManifest[],
): Promise<Verdict> {
  try {
    const { graph, fleetId } = await inference.open(version);
    const places = sensors.map(({ sensorId, modelSha256, fleet }) => ({
      sensorId,
      digest: modelSha256,
      pack: fleet!.pack,
    }));
    for (const [sensorId, part] of await inference.parts(graph, places)) {
      if (part instanceof AppError) return { ok: false, message: part.message };
      if (part.fleetId === fleetId) continue;
      return { ok: false, message: `the part of sensor ${sensorId} is of fleet ${part.fleetId}, not of ${fleetId}` };
    }
    return { ok: true };
  } catch (error) {
    if (error instanceof AppError && (error.code === "artefactRejected" || error.code === "notFound")) {
      return { ok: false, message: error.message };
    }
    throw error;
  }
}

/**
 * The same, the version proved before it is opened here: it may serve after this. A version is proved once, whatever
 * the number of its sensors.
 */
export async function proveFleet(
  inference: Pick<FleetInference, "verify" | "open" | "parts">,
  version: FleetVersion,
  sensors: ModelManifest[],
): Promise<Verdict> {
  const verdict = await inference.verify(version);
  return verdict.ok ? verifyFleet(inference, version, sensors) : verdict;
}

/**
 * Stores a version, verifies what the store gives back and only then registers each sensor's model as a challenger;
 * doing it again is safe. A refusal says why.
 */
export async function admitFleet(
  ports: Pick<Ports, "clock" | "log" | "fleetFiles" | "fleetInference" | "registry">,
  built: BuiltFleet,
  statusReason: string,
): Promise<{ ok: true; sensors: ModelManifest[] } | { ok: false; message: string }> {
  const { clock, log, registry } = ports;
  const { fleetId, graph } = built.artefact.manifest;
  const gap = fleetGoldenGap(decodeGolden(fleetId, built.artefact.golden, graph));
  if (gap !== null) return { ok: false, message: `fleet ${fleetId}: ${gap}` };
  const sensors = await storeFleet(ports.fleetFiles, built);
  const { digest, manifest } = built.artefact;
  const verdict = await proveFleet(ports.fleetInference, { fleetId: manifest.fleetId, digest }, sensors);
  if (!verdict.ok) return verdict;
  for (const sensor of sensors)
    await registry.register({ manifest: sensor, digest: sensor.modelSha256, statusReason, now: clock.now() });
  log.info("fleet.registered", { fleetId: manifest.fleetId, sensors: sensors.length, reason: statusReason });
  return { ok: true, sensors };
}

/**
 * Registers the sensors of a shipped version and makes each model champion of its sensor where that has none. What is
 * registered already stays as somebody left it. The files must be readable through the store.
 */
export async function seedFleet(
  ports: Pick<Ports, "clock" | "log" | "fleetInference" | "registry">,
  fleet: Fleet,
  sensors: ModelManifest[],
): Promise<{ promoted: string[]; refused: { modelId: string; message: string }[] }> {
  const { clock, log, fleetInference, registry } = ports;
  const champions = await registry.champions(sensors.map(({ sensorId }) => sensorId));
  const promoted: string[] = [];
  const refused: { modelId: string; message: string }[] = [];
  const reason = "shipped with the project";
  for (const [, group] of Map.groupBy(sensors, (sensor) => sensor.fleet?.digest)) {
    const wanted: ModelManifest[] = [];
    for (const sensor of group) {
      if (champions.has(sensor.sensorId)) continue;
      if ((await registry.get(sensor.modelId))?.status !== "retired") wanted.push(sensor);
    }
    if (wanted.length === 0) continue;
    const version = wanted[0]!.fleet;
    const verdict: Verdict = version
      ? await verifyFleet(fleetInference, version, wanted)
      : { ok: false, message: `${wanted[0]!.modelId} is not of a fleet` };
    for (const manifest of wanted) {
      const { modelId, sensorId } = manifest;
      const message = verdict.ok ? misfit(manifest, fleet) : verdict.message;
      if (message !== null) {
        log.warn("model.refused", { modelId, sensorId, message });
        refused.push({ modelId, message });
        continue;
      }
      await registry.register({ manifest, digest: manifest.modelSha256, statusReason: reason, now: clock.now() });
      await registry.promote(modelId, reason, clock.now());
      promoted.push(modelId);
    }
  }
  return { promoted, refused };
}
