import { AppError } from "../errors.ts";
import type { TrainMessage } from "../messages.ts";
import { loadPrior } from "../model/fleet/artefact.ts";
import { fleetHistoryLength } from "../model/fleet/encoding.ts";
import type { FleetManifest, FleetVersion } from "../model/fleet/manifest.ts";
import type { FleetResult } from "../model/fleet/training.ts";
import type { ModelManifest } from "../model/manifest.ts";
import type { Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";
import { settle } from "./admit.ts";
import { admitParts, mostVersions, packSize } from "./admit-fleet.ts";
import { placeOf } from "./shard-fleets.ts";
import { type TrainSettings, trainingSeed } from "./train-settings.ts";

export type TrainPartsPorts = Pick<
  Ports,
  "clock" | "log" | "follower" | "fleetTrainer" | "fleetFiles" | "fleetInference" | "registry" | "partSums"
>;

/** A sensor with its new model, and what became of that. */
export type SettledSensor = { manifest: ModelManifest } & Awaited<ReturnType<typeof settle>>;

/** What became of sensors that asked for a part, one by one. */
export type TrainPartsOutcome =
  | { status: "trained"; fleetId: string; sensors: SettledSensor[]; refused: FleetResult["refused"] }
  /** There is no network yet that they could join. */
  | { status: "noFleet" };

/**
 * Gives sensors a part by the network of their fleet that serves: closed form, some tenths of a second for a sensor
 * with months of history. A sensor's first model serves at once, another is its challenger.
 */
export async function trainParts(
  ports: TrainPartsPorts,
  settings: TrainSettings,
  { slot, reason, sensorIds }: TrainMessage,
  signal?: AbortSignal,
): Promise<TrainPartsOutcome> {
  const champion = (await ports.registry.fleets(mostVersions)).find(({ status }) => status === "champion");
  if (champion === undefined) return { status: "noFleet" };
  const version = { fleetId: champion.fleetId, digest: champion.digest };
  const manifest = await ports.fleetInference.open(version);
  const joining = { version, manifest, sensorIds, slot, reason };
  const renewed = await renewAll(ports, settings, joining, signal);
  const isDone = new Set(renewed.map(({ manifest }) => manifest.sensorId));
  const others = sensorIds.filter((sensorId) => !isDone.has(sensorId));
  const fitted = await fitAll(ports, settings, { ...joining, sensorIds: others }, signal);
  const found = { sensors: [...renewed, ...fitted.sensors], refused: fitted.refused };
  ports.log.info("parts.done", { ...version, sensors: found.sensors.length, refused: found.refused.length });
  return { status: "trained", fleetId: version.fleetId, ...found };
}

const packsAtOnce = 2;

/** Sensors that are to have a part of this version. */
type Joining = {
  version: FleetVersion;
  manifest: FleetManifest;
  sensorIds: string[];
  slot: Date;
  reason: TrainMessage["reason"];
};

/** Pack by pack: readings, parts, store, read back, register, settle. */
export async function fitAll(
  ports: TrainPartsPorts,
  { codeVersion, historySeconds }: TrainSettings,
  { version, manifest, sensorIds, slot, reason }: Joining,
  signal?: AbortSignal,
): Promise<{ sensors: SettledSensor[]; refused: FleetResult["refused"] }> {
  const prior = await loadPrior(ports.fleetFiles, manifest);
  const made = { engine: manifest.training.engine, seed: trainingSeed("parts", slot), now: slot, codeVersion };
  const sensors: SettledSensor[] = [];
  const refused: FleetResult["refused"] = [];
  const fitPack = async (some: string[]) => {
    const readings = await ports.follower.readWindows(some, addSeconds(slot, -historySeconds), slot);
    const asked = some.map((sensorId) => ({ sensorId, readings: readings.get(sensorId)! }));
    const built = await ports.fleetTrainer.fitParts({ sensors: asked, version: manifest, prior, ...made }, signal);
    refused.push(...built.refused);
    sensors.push(...(await admitAndSettle(ports, version, built.sensors, `trained: ${reason}`)));
  };
  // Several at a time, where the trainer has workers for them; their readings bound the memory.
  for (let from = 0; from < sensorIds.length; from += packsAtOnce * packSize) {
    const some = sensorIds.slice(from, from + packsAtOnce * packSize);
    const packs = Array.from({ length: Math.ceil(some.length / packSize) }, (_, i) =>
      some.slice(i * packSize, (i + 1) * packSize),
    );
    await Promise.all(packs.map(fitPack));
  }
  return { sensors, refused };
}

/**
 * Renews the parts of sensors that serve and whose sums are kept, with what came since: a query for the last days, and
 * milliseconds each. Gives back what was renewed; the others need a look at their history.
 */
async function renewAll(
  ports: TrainPartsPorts,
  { codeVersion, historySeconds }: TrainSettings,
  { version, manifest, sensorIds, slot, reason }: Joining,
  signal?: AbortSignal,
): Promise<SettledSensor[]> {
  const { registry, partSums, fleetInference, follower, fleetTrainer } = ports;
  const settled: SettledSensor[] = [];
  const lookBack = fleetHistoryLength(manifest.encoding) * manifest.encoding.stepSeconds;
  for (let from = 0; from < sensorIds.length; from += packSize) {
    const some = sensorIds.slice(from, from + packSize);
    const [champions, sums] = await Promise.all([registry.champions(some), partSums.load(version.fleetId, some)]);
    const oldest = addSeconds(slot, -historySeconds);
    const known = some.flatMap((sensorId) => {
      const [champion, kept] = [champions.get(sensorId), sums.get(sensorId)];
      const isOwn = champion?.manifest.fleet?.fleetId === version.fleetId;
      return champion && kept && isOwn && kept.through > oldest ? [{ champion, kept }] : [];
    });
    if (known.length === 0) continue;
    const since = new Date(Math.min(...known.map(({ kept }) => kept.through.getTime())));
    const ids = known.map(({ champion }) => champion.sensorId);
    const readings = await follower.readWindows(ids, addSeconds(since, -lookBack), slot);
    const parts = await fleetInference.parts(
      manifest.graph,
      known.map(({ champion }) => placeOf(champion)),
    );
    const sensors = known.flatMap(({ champion, kept }) => {
      const part = parts.get(champion.sensorId);
      const own = { readings: readings.get(champion.sensorId)!, sums: kept.bytes, manifest: champion.manifest };
      return part === undefined || part instanceof AppError ? [] : [{ ...own, part }];
    });
    const built = await fleetTrainer.renewParts({ sensors, version: manifest, now: slot, codeVersion }, signal);
    settled.push(...(await admitAndSettle(ports, version, built.sensors, `renewed: ${reason}`)));
  }
  return settled;
}

/** Admits parts of a version that is registered, and decides what becomes of each model. Throws artefactRejected. */
export async function admitAndSettle(
  ports: Pick<Ports, "clock" | "log" | "registry" | "fleetFiles" | "fleetInference" | "partSums">,
  version: FleetVersion,
  built: Parameters<typeof admitParts>[2],
  why: string,
): Promise<SettledSensor[]> {
  const manifests = await admitParts(ports, version, built, why);
  const sums = built.flatMap(({ manifest: { sensorId }, sums }) => (sums ? [{ sensorId, ...sums }] : []));
  await ports.partSums.save(version.fleetId, sums);
  const settled: SettledSensor[] = [];
  for (const manifest of manifests) {
    const { modelId, sensorId } = manifest;
    const known = await ports.registry.get(modelId);
    const isSettled = known !== null && known.status !== "challenger";
    settled.push({
      manifest,
      ...(isSettled
        ? { status: known.status, reason: known.statusReason }
        : await settle(ports, { modelId, sensorId, manifest, statusReason: why })),
    });
  }
  return settled;
}
