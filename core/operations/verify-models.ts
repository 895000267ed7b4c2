import { AppError } from "../errors.ts";
import { artefactDigest } from "../model/artefact-digest.ts";
import { loadFleet, loadPrior } from "../model/fleet/artefact.ts";
import { loadParts } from "../model/fleet/pack.ts";
import type { RegisteredModel } from "../model/registered.ts";
import { sha256Of } from "../model/sha256.ts";
import type { Ports } from "../ports.ts";

type ModelPorts = Pick<Ports, "registry" | "store" | "fleetFiles">;

const pageSize = 200;
/** The newest are looked at: a store that is far away takes its time for each. */
const mostModels = 2_000;
const atATime = 8;

/**
 * Registered models and versions of fleets whose artefact is missing or not what was registered, each with what is
 * wrong.
 */
export async function wrongModels({ registry, ...stores }: ModelPorts): Promise<string[]> {
  const wrong: string[] = [];
  for (const { fleetId, digest, status } of await registry.currentFleets()) {
    if (status === "retired") continue;
    const fault = await told(`fleet ${fleetId} (${status})`, async () => {
      const { manifest } = await loadFleet(stores.fleetFiles, fleetId, digest);
      await loadPrior(stores.fleetFiles, manifest);
      return null;
    });
    if (fault !== null) wrong.push(fault);
  }
  let after: string | undefined;
  for (let seen = 0; seen < mostModels; seen += pageSize) {
    const page = await registry.list({ limit: pageSize, ...(after === undefined ? {} : { after }) });
    for (let i = 0; i < page.length; i += atATime) {
      const faults = await Promise.all(page.slice(i, i + atATime).map((model) => faultOf(stores, model)));
      wrong.push(...faults.filter((one) => one !== null));
    }
    after = page.at(-1)?.modelId;
    if (page.length < pageSize) break;
  }
  return wrong;
}

async function faultOf(
  { store, fleetFiles }: Omit<ModelPorts, "registry">,
  model: RegisteredModel,
): Promise<string | null> {
  const { modelId, sensorId, status, modelSha256, manifest } = model;
  return told(`${modelId} (${status})`, async () => {
    if (manifest.fleet) {
      const { fleetId, digest, pack } = manifest.fleet;
      await loadFleet(fleetFiles, fleetId, digest);
      const part = (await loadParts(fleetFiles, [{ sensorId, pack, digest: modelSha256 }])).get(modelSha256);
      return part instanceof AppError ? part.message : null;
    }
    const artefact = await store.get(modelId);
    if (artefact === null) return `its artefact is missing`;
    const sha256 = await sha256Of(artefact.onnx);
    if (sha256 !== modelSha256) return `bytes have sha256 ${sha256}, ${modelSha256} is registered`;
    const whole = model.digest === null ? null : await artefactDigest(artefact);
    if (whole !== model.digest) return `its files have digest ${whole}, ${model.digest} is registered`;
    const said = artefact.manifest.modelSha256;
    return said === modelSha256 ? null : `its manifest says sha256 ${said}, not ${modelSha256}`;
  });
}

/** What is wrong with a thing, after its name; null where nothing is. */
async function told(what: string, check: () => Promise<string | null>): Promise<string | null> {
  try {
    const fault = await check();
    return fault && `${what}: ${fault}`;
  } catch (error) {
    if (error instanceof AppError && (error.code === "artefactRejected" || error.code === "notFound"))
      return `${what}: ${error.message}`;
    throw error;
  }
}
