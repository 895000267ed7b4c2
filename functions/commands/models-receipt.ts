import { withoutLeftOut } from "../../core/annotation/left-out.ts";
import { observe } from "../../core/data/observed.ts";
import { AppError } from "../../core/errors.ts";
import type { FleetVersion } from "../../core/model/fleet/manifest.ts";
import type { ModelManifest } from "../../core/model/manifest.ts";
import { sha256Of } from "../../core/model/sha256.ts";
import { proveFleet } from "../../core/operations/admit-fleet.ts";
import type { Follower, Ports } from "../../core/ports.ts";
import { addSeconds } from "../../core/time.ts";
import { gridSha256 } from "../../models/receipt.ts";

/** One line of a receipt's check; `isOk` is null where it could not be checked. */
export type ReceiptLine = { check: string; isOk: boolean | null; detail: string };

type ReceiptPorts = Pick<Ports, "registry" | "store" | "inference" | "fleetInference"> & {
  follower: Pick<Follower, "readWindows">;
};

/** Re-checks what a model's manifest claims: its bytes, its answers, and the data that it was trained on. */
export async function checkReceipt(ports: ReceiptPorts, modelId: string): Promise<ReceiptLine[]> {
  const registered = await ports.registry.get(modelId);
  if (registered?.manifest.fleet) return checkFleetReceipt(ports, registered.manifest, registered.manifest.fleet);
  const artefact = await ports.store.get(modelId);
  if (artefact === null) return [{ check: "model store", isOk: false, detail: `no artefact ${modelId}` }];
  const sha256 = await sha256Of(artefact.onnx);
  const { manifest } = artefact;
  const verdict = await ports.inference.verify(artefact);
  return [
    {
      check: "registered sha256",
      isOk: registered === null ? null : registered.modelSha256 === sha256,
      detail: registered === null ? "not registered" : compare(sha256, registered.modelSha256),
    },
    { check: "manifest sha256", isOk: manifest.modelSha256 === sha256, detail: compare(sha256, manifest.modelSha256) },
    {
      check: "golden vector",
      isOk: verdict.ok,
      detail: verdict.ok ? `answered within ${artefact.golden.tolerance}` : verdict.message,
    },
    await checkData(ports, manifest),
  ];
}

/** The fleet's version, the sensor's part, and the sensor's data. */
async function checkFleetReceipt(
  ports: ReceiptPorts,
  manifest: ModelManifest,
  { fleetId, digest }: FleetVersion,
): Promise<ReceiptLine[]> {
  const version = await proveFleet(ports.fleetInference, { fleetId, digest }, []);
  const part = version.ok ? await proveFleet(ports.fleetInference, { fleetId, digest }, [manifest]) : version;
  const detail = version.ok ? `${digest}, golden vectors answered` : version.message;
  return [
    { check: `fleet ${fleetId}`, isOk: version.ok, detail },
    { check: "part's sha256", isOk: part.ok, detail: part.ok ? manifest.modelSha256 : part.message },
    await checkData(ports, manifest),
  ];
}

/** The hash of the training data, from what the follower still has of it. */
async function checkData({ follower }: ReceiptPorts, manifest: ModelManifest): Promise<ReceiptLine> {
  const { sensorId, stepSeconds, targets, training } = manifest;
  const check = "training data";
  // Of a part that was renewed the hash is of what was new.
  const [from, upTo] = [new Date(training.renewed?.from ?? training.from), new Date(training.to)];
  let windows: Awaited<ReturnType<Follower["readWindows"]>>;
  try {
    windows = await follower.readWindows([sensorId], addSeconds(from, -stepSeconds), upTo);
  } catch (error) {
    // The other checks do not need the source, and stand without it.
    if (error instanceof AppError) return { check, isOk: null, detail: error.message };
    throw error;
  }
  const readings = windows.get(sensorId);
  if (!readings || readings.at.length === 0) {
    return {
      check,
      isOk: null,
      detail: `the source has no readings of ${sensorId} from ${training.from} to ${training.to}`,
    };
  }
  const { grid } = observe(readings, targets, stepSeconds, { from, upTo });
  const leftOut = (training.leftOut ?? []).map((one) => ({
    ...one,
    ...{ from: new Date(one.from), to: one.to === null ? null : new Date(one.to) },
  }));
  const sha256 = await gridSha256(withoutLeftOut(grid, targets, leftOut));
  return { check, isOk: sha256 === training.dataSha256, detail: compare(sha256, training.dataSha256) };
}

function compare(found: string, wanted: string): string {
  return found === wanted ? found : `${found}, ${wanted} expected`;
}
