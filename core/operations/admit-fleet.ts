import type { Fleet } from "../data/reading.ts";
import { AppError } from "../errors.ts";
import { misfit } from "../forecast/plan.ts";
import { saveFleet, savePrior } from "../model/fleet/artefact.ts";
import type { ArtefactFiles } from "../model/fleet/files.ts";
import { decodeGolden } from "../model/fleet/golden.ts";
import type { FleetVersion } from "../model/fleet/manifest.ts";
import { savePack } from "../model/fleet/pack.ts";
import { fleetGoldenGap } from "../model/fleet/soundness.ts";
import type { BuiltFleet, BuiltSensor } from "../model/fleet/training.ts";
import type { ModelManifest } from "../model/manifest.ts";
import type { FleetInference } from "../model/ports.ts";
import type { Verdict } from "../model/verify.ts";
import type { Ports } from "../ports.ts";
import { everySensor, servingOf } from "./fleet-groups.ts";

/** Parts that lie in one pack: about those of a shard. */
export const packSize = 100;

/** Stores a version with its sensors' parts; the sensors' manifests, which say where their parts lie. */
export async function storeFleet(files: ArtefactFiles, built: BuiltFleet): Promise<ModelManifest[]> {
  await storeVersion(files, built);
  return storeParts(files, versionOf(built), built.sensors);
}

/** A version as its sensors' manifests name it. */
export type GroupVersion = FleetVersion & { group?: string | undefined };

/** How a built version's sensors name it. */
export function versionOf({ artefact: { digest, manifest } }: BuiltFleet): GroupVersion {
  const { fleetId, group } = manifest;
  return { fleetId, digest, ...(group ? { group } : {}) };
}

async function storeVersion(files: ArtefactFiles, { artefact, prior }: BuiltFleet): Promise<void> {
  if (prior) await savePrior(files, artefact.manifest.fleetId, prior);
  await saveFleet(files, artefact);
}

async function storeParts(
  files: ArtefactFiles,
  version: GroupVersion,
  sensors: BuiltSensor[],
): Promise<ModelManifest[]> {
  const ordered = sensors.toSorted((a, b) => (a.manifest.sensorId < b.manifest.sensorId ? -1 : 1));
  const placed: ModelManifest[] = [];
  for (let from = 0; from < ordered.length; from += packSize) {
    const some = ordered.slice(from, from + packSize);
    const parts = some.map(({ manifest: { sensorId }, bytes }) => ({ sensorId, bytes }));
    const places = await savePack(files, parts);
    for (const [i, { manifest: own }] of some.entries()) {
      placed.push({ ...own, fleet: { ...version, pack: places[i]!.pack } });
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

type AdmitPorts = Pick<Ports, "clock" | "log" | "fleetFiles" | "fleetInference" | "registry">;

/**
 * Stores a version, verifies what the store gives back and only then registers it: as champion where nothing forecasts
 * its group, as a challenger otherwise, and then in the place of the group's earlier challengers, which have seen less.
 * So the first network of a group whose sensors the common one forecasts has to be better. Doing it again is safe.
 */
export async function admitVersion(
  { clock, log, fleetFiles, fleetInference, registry }: AdmitPorts,
  built: BuiltFleet,
  statusReason: string,
): Promise<Verdict> {
  const { digest, manifest } = built.artefact;
  const { fleetId, graph } = manifest;
  const gap = fleetGoldenGap(decodeGolden(fleetId, built.artefact.golden, graph));
  if (gap !== null) return { ok: false, message: `fleet ${fleetId}: ${gap}` };
  await storeVersion(fleetFiles, built);
  const verdict = await proveFleet(fleetInference, { fleetId, digest }, []);
  if (!verdict.ok) return verdict;
  const champions = await registry.champions(built.sensors.map(({ manifest: { sensorId } }) => sensorId));
  const isServed = 2 * champions.size >= built.sensors.length;
  await enlistVersion({ clock, registry }, versionOf(built), { statusReason, isServed });
  log.info("fleet.registered", { fleetId, reason: statusReason });
  return { ok: true };
}

async function enlistVersion(
  { clock, registry }: Pick<Ports, "clock" | "registry">,
  { fleetId, digest, group = everySensor }: GroupVersion,
  { statusReason, isServed }: { statusReason: string; isServed: boolean },
): Promise<void> {
  const now = clock.now();
  await registry.registerFleet({ fleetId, digest, group, statusReason, now });
  const current = await registry.currentFleets();
  const known = current.filter((one) => one.group === group);
  const serving = servingOf(current);
  const mustWin = serving.has(group) || (isServed && serving.has(everySensor));
  if (!mustWin) {
    const reason = `first network of the ${group === everySensor ? "fleet" : `group ${group}`}`;
    await registry.promoteFleet(fleetId, { kept: [], reason, now });
    return;
  }
  const isRival = known.find((one) => one.fleetId === fleetId)?.status === "challenger";
  for (const { fleetId: earlier, status } of isRival ? known : []) {
    if (status !== "challenger" || earlier === fleetId) continue;
    await registry.retireFleet(earlier, `undecided when ${fleetId} came, which has seen more`, now);
  }
}

/**
 * Stores parts of a registered version, verifies what the store gives back and only then registers each sensor's model
 * as a challenger; doing it again is safe. Throws artefactRejected.
 */
export async function admitParts(
  { clock, fleetFiles, fleetInference, registry }: AdmitPorts,
  version: GroupVersion,
  built: BuiltSensor[],
  statusReason: string,
): Promise<ModelManifest[]> {
  if (built.length === 0) return [];
  const sensors = await storeParts(fleetFiles, version, built);
  const verdict = await verifyFleet(fleetInference, version, sensors);
  if (!verdict.ok) throw new AppError("artefactRejected", verdict.message);
  for (const manifest of sensors)
    await registry.register({ manifest, digest: manifest.modelSha256, statusReason, now: clock.now() });
  return sensors;
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
    if (version && verdict.ok) await enlistVersion(ports, version, { statusReason: reason, isServed: false });
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
