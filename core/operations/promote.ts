import { entryBy, noteDone, schedule } from "../access/audit.ts";
import type { AuditLog } from "../access/ports.ts";
import type { Disturbance } from "../annotation/annotation.ts";
import { countedOf } from "../annotation/left-out.ts";
import { AppError } from "../errors.ts";
import { artefactDigest } from "../model/artefact-digest.ts";
import type { FleetInference, Inference, ModelStore } from "../model/ports.ts";
import type { RegisteredModel } from "../model/registered.ts";
import type { Verdict } from "../model/verify.ts";
import type { Ports } from "../ports.ts";
import { proveFleet } from "./admit-fleet.ts";
import { judgeAlone, judgeChallenger, type PromotionSettings, type PromotionVerdict } from "./judge.ts";

export type PromotePorts = Pick<Ports, "clock" | "log" | "registry" | "scores" | "annotations"> & {
  audit: Pick<AuditLog, "record">;
};

/** What was decided about one challenger. */
export type Promotion = PromotionVerdict & { sensorId: string; modelId: string };

const pageSize = 200;

/**
 * Judges every challenger of a single sensor, page by page; each sensor has its turn once. What is on trial with its
 * whole fleet, `fleetIds`, is left to that.
 */
export async function promoteAll(
  ports: PromotePorts,
  settings: PromotionSettings,
  fleetIds: ReadonlySet<string> = new Set(),
): Promise<Promotion[]> {
  const decided: Promotion[] = [];
  const seen = new Set<string>();
  for (let after: string | undefined; ; ) {
    const filter = { status: "challenger" as const, limit: pageSize, ...(after ? { after } : {}) };
    const page = await ports.registry.list(filter);
    const sensorIds = [...new Set(page.map((model) => model.sensorId))].filter((sensorId) => !seen.has(sensorId));
    for (const sensorId of sensorIds) seen.add(sensorId);
    decided.push(...(await promote(ports, settings, sensorIds, fleetIds)));
    after = page.at(-1)?.modelId;
    if (page.length < pageSize) return decided;
  }
}

/**
 * Compares every challenger of the sensors with its champion on the scores that both have, and promotes, keeps or
 * retires it; the reason is stored, the change audited. Moments that annotations leave out decide nothing. The
 * oldest challenger is judged first, and a promotion ends the sensor's turn: the others are to be compared with the
 * new champion. A sensor that fails costs the others nothing.
 */
export async function promote(
  ports: PromotePorts,
  settings: PromotionSettings,
  sensorIds: string[],
  fleetIds: ReadonlySet<string> = new Set(),
): Promise<Promotion[]> {
  const { log, registry } = ports;
  const [champions, challengers] = await Promise.all([registry.champions(sensorIds), registry.challengers(sensorIds)]);
  const disturbing = await disturbingSince(ports, challengers);
  const decided: Promotion[] = [];
  const faults: unknown[] = [];
  for (const [sensorId, rivals] of Map.groupBy(challengers, (model) => model.sensorId)) {
    try {
      const champion = champions.get(sensorId) ?? null;
      for (const rival of rivals) {
        if (champion?.manifest.fleet && fleetIds.has(rival.manifest.fleet?.fleetId ?? "")) continue;
        const verdict = await judge(ports, settings, champion, rival, disturbing.get(sensorId) ?? []);
        const { modelId } = rival;
        await carryOut(ports, modelId, verdict);
        log.info("promote.decided", { sensorId, modelId, ...verdict });
        decided.push({ sensorId, modelId, ...verdict });
        if (verdict.decision === "promote") break;
      }
    } catch (error) {
      log.error("promote.failed", { sensorId, error: String(error) });
      faults.push(error);
    }
  }
  if (faults.length > 0) {
    throw new AppError("internal", `${faults.length} sensors not decided; comes back`, { cause: faults[0] });
  }
  return decided;
}

async function carryOut(ports: PromotePorts, modelId: string, { decision, reason }: PromotionVerdict): Promise<void> {
  if (decision === "keep") return;
  const at = ports.clock.now();
  await ports.registry[decision](modelId, reason, at);
  const act = { at, action: `model.${decision}`, object: `models/${modelId}`, result: "ok" };
  await noteDone(ports, entryBy(schedule, act));
}

/** What of the time on trial of these models is left out, by sensor. */
export async function disturbingSince(
  { clock, annotations }: Pick<Ports, "clock" | "annotations">,
  models: Pick<RegisteredModel, "sensorId" | "createdAt">[],
): Promise<Map<string, Disturbance[]>> {
  if (models.length === 0) return new Map();
  const since = new Date(Math.min(...models.map(({ createdAt }) => createdAt.getTime())));
  const sensorIds = [...new Set(models.map(({ sensorId }) => sensorId))];
  return annotations.disturbing(sensorIds, since, clock.now());
}

async function judge(
  { scores }: PromotePorts,
  settings: PromotionSettings,
  champion: RegisteredModel | null,
  { sensorId, modelId, createdAt, manifest }: RegisteredModel,
  disturbances: Disturbance[],
): Promise<PromotionVerdict> {
  const against = champion?.modelId ?? modelId;
  const scored = await scores.paired(sensorId, against, modelId, createdAt);
  const pairs = countedOf(scored, disturbances, manifest.stepSeconds);
  return champion === null ? judgeAlone(pairs, settings) : judgeChallenger(pairs, settings);
}

/** What became of a promotion that a person asked for; `unknown`: no such model is registered. */
export type PromotedByHand = { ok: true } | { ok: false; reason: "unknown" | "rejected"; message: string };

/**
 * Makes a registered model champion because somebody says so. Scores are not asked, but the model must still be what
 * was registered: its artefact is read from the store and verified before anything changes.
 */
export async function promoteByHand(
  ports: Pick<Ports, "clock" | "log" | "registry"> & VerifyPorts,
  modelId: string,
  reason: string,
): Promise<PromotedByHand> {
  const { clock, log, registry } = ports;
  const model = await registry.get(modelId);
  if (model === null) return { ok: false, reason: "unknown", message: `model ${modelId} is not registered` };
  const verdict = await verifyStored(ports, model);
  if (!verdict.ok) {
    log.warn("model.rejected", { modelId, message: verdict.message });
    return { ok: false, reason: "rejected", message: `${modelId} is not promoted: ${verdict.message}` };
  }
  await registry.promote(modelId, reason, clock.now());
  log.info("model.promoted", { modelId, sensorId: model.sensorId, reason });
  return { ok: true };
}

type VerifyPorts = {
  store: Pick<ModelStore, "get">;
  inference: Pick<Inference, "verify">;
  fleetInference: Pick<FleetInference, "verify" | "open" | "parts">;
};

async function verifyStored(
  { store, inference, fleetInference }: VerifyPorts,
  model: RegisteredModel,
): Promise<Verdict> {
  const { fleet } = model.manifest;
  if (fleet) return proveFleet(fleetInference, fleet, [model.manifest]);
  const artefact = await store.get(model.modelId);
  if (artefact === null) return { ok: false, message: "it is not in the model store" };
  const { modelSha256 } = artefact.manifest;
  if (modelSha256 !== model.modelSha256) {
    return { ok: false, message: `the store has sha256 ${modelSha256}, registered is ${model.modelSha256}` };
  }
  const { sensorId } = artefact.manifest;
  if (sensorId !== model.sensorId) {
    return { ok: false, message: `the store has it as a model of sensor ${sensorId}, registered is ${model.sensorId}` };
  }
  const digest = await artefactDigest(artefact);
  // Registered before there were digests: its manifest was, and is what it is served by.
  const known = model.digest ?? (await artefactDigest({ ...artefact, manifest: model.manifest }));
  if (digest !== known)
    return { ok: false, message: `the files in the store have digest ${digest}, registered is ${known}` };
  return inference.verify(artefact);
}

/** Makes the champion before this one champion again, in one transaction; its id, or null when there is none. */
export async function rollback(
  ports: Pick<Ports, "clock" | "log" | "registry">,
  sensorId: string,
  reason: string,
): Promise<string | null> {
  const modelId = await ports.registry.rollback(sensorId, reason, ports.clock.now());
  if (modelId !== null) ports.log.info("model.rolledBack", { sensorId, modelId, reason });
  return modelId;
}
