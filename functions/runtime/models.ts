import { join } from "node:path";
import type { FleetPorts } from "../../core/evaluation/trainings.ts";
import type { ArtefactFiles } from "../../core/model/fleet/files.ts";
import type { FleetGraph, FleetVersion } from "../../core/model/fleet/manifest.ts";
import type { PartPlace } from "../../core/model/fleet/pack.ts";
import type { FleetVersionTrainer } from "../../core/model/fleet/training.ts";
import type { Artefact, ModelManifest } from "../../core/model/manifest.ts";
import type { FleetInference, ModelStore, Trust } from "../../core/model/ports.ts";
import { once } from "../../core/once.ts";
import type { Log } from "../../core/ports.ts";
import type { EngineBuild } from "../../models/engine/engine.ts";
import type { Config } from "../config/environment.ts";
import { parsePublisher } from "../config/publisher.ts";
import { memoryBytes } from "./process.ts";

const shippedModels = join(import.meta.dirname, "../../models/pretrained");

/** The model store: s3://bucket/prefix or a folder; the models shipped with the code lie beneath where asked for. */
export async function openStore(config: Config, { withShipped = false } = {}): Promise<OpenStore> {
  const store = config.modelStore.startsWith("s3://") ? await openS3(config) : await openFolder(config.modelStore);
  if (!withShipped) return store;
  const { layeredFiles, layeredStore } = await import("../adapters/files.ts");
  const shipped = await openFolder(shippedModels);
  return { ...layeredStore(store, shipped), files: layeredFiles(store.files, shipped.files) };
}

/** Models of single sensors, and the files of fleets beside them. */
type OpenStore = ModelStore & { files: ArtefactFiles };

/** The artefact in a folder, null when there is none. Throws artefactRejected for files that do not parse. */
export async function readArtefact(folder: string): Promise<Artefact | null> {
  const { readArtefactFolder } = await import("../adapters/files.ts");
  return readArtefactFolder(folder);
}

async function openS3({ modelStore, s3Endpoint }: Config): Promise<OpenStore> {
  const { s3Store } = await import("../adapters/s3.ts");
  const { host, pathname } = new URL(modelStore);
  return s3Store({ bucket: host, prefix: pathname.replace(/^\/+/, ""), endpoint: s3Endpoint });
}

/** Artefacts in a folder. */
export async function openFolder(folder: string): Promise<OpenStore> {
  const { folderFiles, folderStore } = await import("../adapters/files.ts");
  return { ...folderStore(folder), files: folderFiles(folder) };
}

const bytesOfModel = 2_000_000;
const shareForModels = 0.25;
/** What a small machine keeps at least. */
const fewestModels = 64;

/** Sessions that a quarter of the memory holds: of the machine, or of the container or function that this runs in. */
export function modelsThatFit(bytes = memoryBytes()): number {
  return Math.max(fewestModels, Math.floor((shareForModels * bytes) / bytesOfModel));
}

const bytesOfPart = 100_000;
const fewestParts = 1_000;

/** Sensors' parts that a quarter of the memory holds, with what is remembered of their sensors. */
export function partsThatFit(bytes = memoryBytes()): number {
  return Math.max(fewestParts, Math.floor((shareForModels * bytes) / bytesOfPart));
}

/** ONNX Runtime, which keeps the MODEL_CACHE models used last; what is new is proved in a process of its own. */
export async function openInference(config: TrustConfig & Pick<Config, "modelCache">, store: ModelStore, log: Log) {
  const { onnxInference } = await import("../adapters/onnx.ts");
  const { provingProcess } = await import("../adapters/proof.ts");
  const options = {
    maximumSessions: config.modelCache ?? modelsThatFit(),
    prove: provingProcess(),
    trust: await openTrust(config),
  };
  return onnxInference({ store, log }, options);
}

type TrustConfig = Pick<Config, "modelPublishers" | "requireSignature">;

/** The publishers of MODEL_PUBLISHERS. */
export async function openTrust({ modelPublishers, requireSignature }: TrustConfig): Promise<Trust> {
  const { publisherTrust } = await import("../adapters/signature.ts");
  return publisherTrust(
    modelPublishers.flatMap((text) => parsePublisher(text) ?? []),
    requireSignature,
  );
}

/** Fleets' networks in ONNX Runtime, with the parts of the sensors used last. */
export async function openFleetInference({ files }: Pick<OpenStore, "files">, log: Log): Promise<FleetInference> {
  const { fleetInference } = await import("../adapters/onnx-fleet.ts");
  const { provingProcess } = await import("../adapters/proof.ts");
  return fleetInference({ files, log }, { prove: provingProcess(), maximumParts: partsThatFit() });
}

/** What training a fleet takes beside its sensors' readings. */
export async function openFleetPorts(store: OpenStore, log: Log, options: { workers?: number; build?: EngineBuild }) {
  const { workerFleetTrainer } = await import("../adapters/fleet.ts");
  const fleetTrainer: FleetVersionTrainer = workerFleetTrainer(options);
  return { fleetTrainer, fleetFiles: store.files, fleetInference: await openFleetInference(store, log) };
}

/** A publisher's signature of an artefact, by its private key in PEM, and the public key as the setting wants it. */
export async function signArtefact(artefact: Artefact, pem: string): Promise<{ signature: string; publicKey: string }> {
  const { signArtefact: sign } = await import("../adapters/signature.ts");
  return sign(artefact, pem);
}

/** The sensors of the fleet that is shipped with the code, for the demo. */
export async function readShippedFleet(): Promise<ModelManifest[]> {
  const { readFleetSensors } = await import("../adapters/fleet-folder.ts");
  return readFleetSensors(shippedModels);
}

/** Beside a version in a folder the manifests of its sensors, as the shipped one has them. */
export async function saveFleetSensors(folder: string, fleetId: string, sensors: ModelManifest[]): Promise<void> {
  const { writeFleetSensors } = await import("../adapters/fleet-folder.ts");
  await writeFleetSensors(folder, fleetId, sensors);
}

/** Trains fleets on worker threads and runs them in this one. */
export async function openFleets(options: { workers?: number }): Promise<FleetPorts> {
  const { engineRunner, workerFleetTrainer } = await import("../adapters/fleet.ts");
  return { fleetTrainer: workerFleetTrainer(options), openFleet: engineRunner };
}

/** For promotions by hand. Whoever only reads loads neither ONNX Runtime nor S3's client. */
export function verificationLater(config: Config, log: Log, options: { withShipped?: boolean } = {}) {
  const store = once(() => openStore(config, options));
  const fleets = once(async () => openFleetInference(await store(), log));
  const inference = once(async () => openInference({ ...config, modelCache: 1 }, await store(), log));
  return {
    store: { get: async (modelId: string) => (await store()).get(modelId) },
    inference: { verify: async (artefact: Artefact) => (await inference()).verify(artefact) },
    fleetInference: {
      verify: async (version: FleetVersion) => (await fleets()).verify(version),
      open: async (version: FleetVersion) => (await fleets()).open(version),
      parts: async (graph: FleetGraph, places: PartPlace[]) => (await fleets()).parts(graph, places),
    },
  };
}
