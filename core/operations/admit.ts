import type { Fleet } from "../data/reading.ts";
import { misfit } from "../forecast/plan.ts";
import { artefactDigest, isSameArtefact } from "../model/artefact-digest.ts";
import type { Artefact, ModelManifest } from "../model/manifest.ts";
import type { Trust } from "../model/ports.ts";
import type { RegisteredModel } from "../model/registered.ts";
import { goldenGap } from "../model/soundness.ts";
import type { Verdict } from "../model/verify.ts";
import type { Ports } from "../ports.ts";

export type AdmitPorts = Pick<Ports, "clock" | "log" | "store" | "inference" | "registry">;

/**
 * Stores an artefact, reads it back, verifies what was read and only then registers it as a challenger: nothing half
 * done is ever registered, and doing it again is safe. A refusal says why.
 */
export async function admit(ports: AdmitPorts, artefact: Artefact, statusReason: string): Promise<Verdict> {
  const { modelId } = artefact.manifest;
  await ports.store.put(artefact);
  const stored = await ports.store.get(modelId);
  if (stored === null) return { ok: false, message: `${modelId}: the store does not give back what it was given` };
  if (!(await isSameArtefact(stored, artefact))) {
    return { ok: false, message: `${modelId}: the store gives back other files than it was given` };
  }
  const verdict = await ports.inference.verify(stored);
  if (!verdict.ok) return verdict;
  await ports.registry.register({
    manifest: stored.manifest,
    digest: await artefactDigest(stored),
    statusReason,
    now: ports.clock.now(),
  });
  ports.log.info("model.registered", { modelId, sensorId: artefact.manifest.sensorId, reason: statusReason });
  return { ok: true };
}

/**
 * Admits an artefact made elsewhere; it is verified before it touches the store. Its sensor's champion stays as it is.
 */
export async function importArtefact(
  ports: AdmitPorts & { trust: Trust },
  fleet: Fleet,
  artefact: Artefact,
  statusReason = "imported",
): Promise<Verdict> {
  const cause = misfit(artefact.manifest, fleet) ?? targetMisfit(artefact.manifest, fleet);
  if (cause !== null) return { ok: false, message: cause };
  if (artefact.manifest.fleet) {
    return {
      ok: false,
      message: `${artefact.manifest.modelId} is a part of a fleet's network: it has no graph of its own`,
    };
  }
  if (artefact.signature !== undefined) {
    const isTrusted = await ports.trust.check(artefact);
    if (!isTrusted.ok) return isTrusted;
  }
  const verdict = await ports.inference.verify(artefact);
  if (!verdict.ok) return verdict;
  const gap = goldenGap(artefact.manifest, artefact.golden);
  return gap === null
    ? admit(ports, artefact, statusReason)
    : { ok: false, message: `${artefact.manifest.modelId}: ${gap}` };
}

/** Other units are other quantities, and a wider range lets a golden vector miss by more. */
function targetMisfit({ modelId, targets }: ModelManifest, fleet: Fleet): string | null {
  for (const { name, unit, min, max } of targets) {
    const own = fleet.targets.find((target) => target.name === name)!;
    if (unit !== own.unit)
      return `${modelId}: ${name} is in ${unit || "no unit"}, the fleet's in ${own.unit || "none"}`;
    if (min >= own.min && max <= own.max) continue;
    return `${modelId}: ${name} is from ${min} to ${max}, the fleet's from ${own.min} to ${own.max}`;
  }
  return null;
}

/**
 * What becomes of a model just trained. The sensor's first is champion when its validation MAE is not above
 * persistence's for any target, and retired with the numbers otherwise. So is a part of the champion's own network: it
 * has seen the same and more; and so is one by the network of the group that the sensor `joins`, because somebody says
 * that it is another thing. Beside any other champion it stays challenger, live scores decide, and earlier challengers
 * give way to it: it has seen more than they.
 */
export async function settle(
  ports: Pick<Ports, "clock" | "log" | "registry">,
  model: Pick<RegisteredModel, "modelId" | "sensorId" | "manifest" | "statusReason">,
  joins: string | null = null,
): Promise<{ status: RegisteredModel["status"]; reason: string }> {
  const { clock, log, registry } = ports;
  const { modelId, sensorId, manifest } = model;
  const champion = (await registry.champions([sensorId])).get(sensorId);
  const loss = lossOf(manifest);
  const isRenewal = manifest.fleet !== undefined && champion?.manifest.fleet?.fleetId === manifest.fleet.fleetId;
  if (champion && !isRenewal) {
    for (const earlier of await registry.challengers([sensorId])) {
      if (earlier.modelId === modelId) continue;
      const reason = `undecided when ${modelId} came, which ${joins === null ? "has seen more" : `is of ${joins}`}`;
      await registry.retire(earlier.modelId, reason, clock.now());
      log.info("model.retired", { modelId: earlier.modelId, sensorId, reason });
    }
    if (joins === null) return { status: "challenger", reason: model.statusReason };
  }
  if (loss === null) {
    const reason = isRenewal
      ? `the part renewed with readings up to ${manifest.training.to}`
      : champion
        ? `the sensor joined ${joins}`
        : "first model of the sensor, not worse than persistence on validation";
    await registry.promote(modelId, reason, clock.now());
    log.info("model.promoted", { modelId, sensorId, reason });
    return { status: "champion", reason };
  }
  await registry.retire(modelId, loss, clock.now());
  log.warn("model.retired", { modelId, sensorId, reason: loss });
  return { status: "retired", reason: loss };
}

function lossOf(manifest: ModelManifest): string | null {
  for (const { name, unit } of manifest.targets) {
    const metrics = manifest.metrics[name];
    // A young sensor stands on its fleet's shoulders: there was nothing yet to judge it on.
    if (!metrics && manifest.fleet) continue;
    if (!metrics) return `${name}: no validation metrics in the manifest`;
    const mae = metrics.mae ?? metrics.ridgeMae;
    if (mae > metrics.persistenceMae) {
      return `${name}: validation MAE ${mae} ${unit}, persistence ${metrics.persistenceMae}`;
    }
  }
  return null;
}
