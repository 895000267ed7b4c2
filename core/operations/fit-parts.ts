import { leaveOutTheSame, receiptsOf } from "../annotation/left-out.ts";
import { AppError } from "../errors.ts";
import type { TrainMessage } from "../messages.ts";
import { loadPrior } from "../model/fleet/artefact.ts";
import { fleetHistoryLength } from "../model/fleet/encoding.ts";
import type { FleetManifest } from "../model/fleet/manifest.ts";
import type { FleetResult } from "../model/fleet/training.ts";
import { lastLead } from "../model/leads.ts";
import type { ModelManifest } from "../model/manifest.ts";
import type { KeptPartSums } from "../model/ports.ts";
import type { RegisteredModel } from "../model/registered.ts";
import type { Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";
import { settle } from "./admit.ts";
import { admitParts, type GroupVersion, packSize } from "./admit-fleet.ts";
import { placeOf } from "./shard-fleets.ts";
import { type TrainSettings, trainingSeed } from "./train-settings.ts";

export type TrainPartsPorts = Pick<
  Ports,
  | "clock"
  | "log"
  | "follower"
  | "fleetTrainer"
  | "fleetFiles"
  | "fleetInference"
  | "registry"
  | "partSums"
  | "profiles"
  | "annotations"
>;

/** A sensor with its new model, and what became of that. */
export type SettledSensor = { manifest: ModelManifest } & Awaited<ReturnType<typeof settle>>;

const packsAtOnce = 2;

/** Sensors that are to have a part of this version; `movers` come from another group. */
export type Joining = {
  version: GroupVersion;
  manifest: FleetManifest;
  sensorIds: string[];
  movers?: ReadonlySet<string>;
  slot: Date;
  reason: TrainMessage["reason"];
};

/** Pack by pack: readings, parts, store, read back, register, settle. */
export async function fitAll(
  ports: TrainPartsPorts,
  { codeVersion, historySeconds }: TrainSettings,
  { version, manifest, sensorIds, movers, slot, reason }: Joining,
  signal?: AbortSignal,
): Promise<{ sensors: SettledSensor[]; refused: FleetResult["refused"] }> {
  const prior = await loadPrior(ports.fleetFiles, manifest);
  const made = { engine: manifest.training.engine, seed: trainingSeed("parts", slot), now: slot, codeVersion };
  const sensors: SettledSensor[] = [];
  const refused: FleetResult["refused"] = [];
  const fitPack = async (some: string[]) => {
    const [readings, disturbing] = await Promise.all([
      ports.follower.readWindows(some, addSeconds(slot, -historySeconds), slot),
      ports.annotations.disturbing(some, everything, slot),
    ]);
    const asked = some.map((sensorId) => ({
      ...{ sensorId, readings: readings.get(sensorId)! },
      leftOut: disturbing.get(sensorId) ?? [],
    }));
    const built = await ports.fleetTrainer.fitParts({ sensors: asked, version: manifest, prior, ...made }, signal);
    refused.push(...built.refused);
    sensors.push(...(await admitAndSettle(ports, version, built.sensors, `trained: ${reason}`, movers)));
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

/** Before all readings. */
export const everything = new Date(0);

/**
 * Renews the parts of sensors that serve and whose sums are kept, with what came since: a query for the last days, and
 * milliseconds each. Sums of which something else would be left out by now are not gone on from. Gives back what was
 * renewed; the others need a look at their history.
 */
export async function renewAll(
  ports: TrainPartsPorts,
  { codeVersion, historySeconds }: TrainSettings,
  { version, manifest, sensorIds, slot, reason }: Joining,
  signal?: AbortSignal,
): Promise<SettledSensor[]> {
  const { registry, partSums, fleetInference, follower, fleetTrainer, annotations } = ports;
  const { stepSeconds } = manifest.encoding;
  const settled: SettledSensor[] = [];
  const lookBack = fleetHistoryLength(manifest.encoding) * manifest.encoding.stepSeconds;
  for (let from = 0; from < sensorIds.length; from += packSize) {
    const some = sensorIds.slice(from, from + packSize);
    const [champions, sums, disturbing] = await Promise.all([
      registry.champions(some),
      partSums.load(version.fleetId, some),
      annotations.disturbing(some, everything, slot),
    ]);
    const reach = lastLead(manifest.encoding.leads) * stepSeconds;
    const isOfNow = ({ sensorId, manifest: { training } }: RegisteredModel, kept: KeptPartSums) => {
      const looked = { from: new Date(training.from), to: addSeconds(kept.through, reach) };
      return leaveOutTheSame(kept.leftOut, receiptsOf(disturbing.get(sensorId) ?? [], looked, stepSeconds));
    };
    const oldest = addSeconds(slot, -historySeconds);
    const known = some.flatMap((sensorId) => {
      const [champion, kept] = [champions.get(sensorId), sums.get(sensorId)];
      const isOwn = champion?.manifest.fleet?.fleetId === version.fleetId;
      return champion && kept && isOwn && kept.through > oldest && isOfNow(champion, kept) ? [{ champion, kept }] : [];
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
      const own = {
        ...{ readings: readings.get(champion.sensorId)!, leftOut: disturbing.get(champion.sensorId) ?? [] },
        ...{ sums: kept.bytes, manifest: champion.manifest },
      };
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
  version: GroupVersion,
  built: Parameters<typeof admitParts>[2],
  why: string,
  movers: ReadonlySet<string> = new Set(),
): Promise<SettledSensor[]> {
  const joined = version.group ? `group ${version.group}` : "the sensors that are in no group";
  const manifests = await admitParts(ports, version, built, why);
  const sums = built.flatMap(({ manifest: { sensorId, training }, sums }) =>
    sums ? [{ sensorId, ...sums, leftOut: training.leftOut ?? [] }] : [],
  );
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
        : await settle(
            ports,
            { modelId, sensorId, manifest, statusReason: why },
            movers.has(sensorId) ? joined : null,
          )),
    });
  }
  return settled;
}
