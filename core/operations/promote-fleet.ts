import { entryBy, noteDone, schedule } from "../access/audit.ts";
import { countedOf } from "../annotation/left-out.ts";
import type { Ports } from "../ports.ts";
import { proveFleet } from "./admit-fleet.ts";
import type { PromotionSettings } from "./judge.ts";
import { type FleetVerdict, judgeFleet, type SensorTrial, toTrial } from "./judge-fleet.ts";
import { disturbingSince, type PromotePorts } from "./promote.ts";

/** What was decided about a version. */
export type FleetPromotion = FleetVerdict & { fleetId: string };

const pageSize = 200;
/** A version is judged on so many sensors at most, those whose models were made last; the others follow. */
const mostJudged = 2_000;

/** Judges every version on trial against the network that serves its group, and carries out what was decided. */
export async function promoteFleets(ports: PromotePorts, settings: PromotionSettings): Promise<FleetPromotion[]> {
  const { log, registry } = ports;
  const known = await registry.currentFleets();
  const decided: FleetPromotion[] = [];
  for (const { fleetId } of known.filter(({ status }) => status === "challenger")) {
    const trials = await trialsOf(ports, settings, fleetId);
    const verdict = judgeFleet(trials, settings);
    await carryOut(ports, fleetId, verdict);
    log.info("promote.fleetDecided", { fleetId, ...verdict, kept: verdict.kept.length });
    decided.push({ fleetId, ...verdict });
  }
  return decided;
}

/** Sensors whose champion is of another version; those of other makes are judged one by one. */
async function trialsOf(ports: PromotePorts, settings: PromotionSettings, fleetId: string): Promise<SensorTrial[]> {
  const { registry, scores } = ports;
  const trials: SensorTrial[] = [];
  for (let after: string | undefined; trials.length < mostJudged; ) {
    const filter = { fleetId, status: "challenger" as const, limit: pageSize, ...(after ? { after } : {}) };
    const page = await registry.list(filter);
    const champions = await registry.champions(page.map(({ sensorId }) => sensorId));
    const disturbing = await disturbingSince(ports, page);
    for (const { sensorId, modelId, createdAt, manifest } of page) {
      const champion = champions.get(sensorId);
      if (!champion?.manifest.fleet) continue;
      const scored = await scores.paired(sensorId, champion.modelId, modelId, createdAt);
      const pairs = countedOf(scored, disturbing.get(sensorId) ?? [], manifest.stepSeconds);
      trials.push(toTrial(sensorId, pairs, settings));
    }
    after = page.at(-1)?.modelId;
    if (page.length < pageSize) break;
  }
  return trials;
}

async function carryOut(ports: PromotePorts, fleetId: string, { decision, reason, kept }: FleetVerdict): Promise<void> {
  if (decision === "keep") return;
  const at = ports.clock.now();
  if (decision === "promote") await ports.registry.promoteFleet(fleetId, { kept, reason, now: at });
  else await ports.registry.retireFleet(fleetId, reason, at);
  const act = { at, action: `fleet.${decision}`, object: `fleets/${fleetId}`, result: "ok" };
  await noteDone(ports, entryBy(schedule, act));
}

/** What became of a promotion that a person asked for; `sensors`: how many follow. */
export type FleetPromotedByHand =
  | { ok: true; sensors: number }
  | { ok: false; reason: "unknown" | "rejected"; message: string };

/**
 * Makes a registered version champion for its sensors because somebody says so. Scores are not asked, but the version
 * must still be what was registered, and answer its golden vectors.
 */
export async function promoteFleetByHand(
  ports: Pick<Ports, "clock" | "log" | "registry"> & { fleetInference: Parameters<typeof proveFleet>[0] },
  fleetId: string,
  reason: string,
): Promise<FleetPromotedByHand> {
  const { clock, log, registry, fleetInference } = ports;
  const fleet = await registry.fleet(fleetId);
  if (fleet === null) return { ok: false, reason: "unknown", message: `fleet ${fleetId} is not registered` };
  const verdict = await proveFleet(fleetInference, { fleetId, digest: fleet.digest }, []);
  if (!verdict.ok) {
    log.warn("fleet.rejected", { fleetId, message: verdict.message });
    return { ok: false, reason: "rejected", message: `${fleetId} is not promoted: ${verdict.message}` };
  }
  const sensors = await registry.promoteFleet(fleetId, { kept: [], reason, now: clock.now() });
  log.info("fleet.promoted", { fleetId, sensors, reason });
  return { ok: true, sensors };
}

/**
 * Makes the version before the one that serves a group serve again, with its sensors: the common one before a group's
 * first. Null when there is none.
 */
export async function rollbackFleet(
  { clock, log, registry }: Pick<Ports, "clock" | "log" | "registry">,
  group: string,
  reason: string,
): Promise<{ fleetId: string; sensors: number } | null> {
  const back = await registry.rollbackFleet(group, reason, clock.now());
  if (back !== null) log.info("fleet.rolledBack", { group, ...back, reason });
  return back;
}
