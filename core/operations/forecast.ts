import { likeliestCrossings } from "../alert/likeliest.ts";
import type { Alerts } from "../alert/ports.ts";
import { emptyReadings } from "../data/reading.ts";
import { AppError } from "../errors.ts";
import type { LikeliestCrossing } from "../forecast/crossing.ts";
import type { Forecast, Outcome } from "../forecast/forecast.ts";
import type { KeptBands } from "../forecast/kept-bands.ts";
import { type SensorSlot, stepsNeeded } from "../forecast/plan.ts";
import { type EncodeModel, serve } from "../forecast/serve.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import type { ForecastMessage } from "../messages.ts";
import type { Adaptation } from "../mix/adaptation.ts";
import type { RegistryReader } from "../model/ports.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, floorToStep, isAhead } from "../time.ts";
import { openShardFleets, runShard, shardEncoder } from "./shard-fleets.ts";

export type ForecastPorts = Pick<
  Ports,
  "clock" | "log" | "follower" | "inference" | "fleetInference" | "ledger" | "adaptations" | "annotations"
> & { registry: RegistryReader; alerts?: Pick<Alerts, "book"> };

/** What a shard came to: nothing for sensors that were decided before, or for a slot ahead of the clock. */
export type Issued = { slot: Date; outcomes: Outcome[]; forecasts: Forecast[] };

/**
 * Forecasts a shard: one outcome per sensor not decided yet, stored with its forecasts in one transaction. Doing it
 * again changes nothing. A sensor whose own handling throws costs the others nothing: they are stored first, then
 * `internal` is thrown so that the message comes back for the one.
 */
export async function forecast(
  ports: ForecastPorts,
  settings: ForecastSettings,
  shard: ForecastMessage,
): Promise<Issued> {
  const { clock, log, inference, fleetInference, ledger } = ports;
  const { stepSeconds } = settings.fleet;
  const slot = floorToStep(shard.slot, stepSeconds);
  if (isAhead(slot, clock.now())) {
    log.warn("forecast.ahead", { slot, now: clock.now(), sensors: shard.sensorIds.length });
    return { slot, outcomes: [], forecasts: [] };
  }
  const asked = [...new Set(shard.sensorIds)];
  const decided = await ledger.decided(asked, slot);
  const sensorIds = asked.filter((sensorId) => !decided.has(sensorId));
  if (sensorIds.length === 0) return { slot, outcomes: [], forecasts: [] };

  const newest = floorToStep(clock.now(), stepSeconds);
  if (slot < addSeconds(newest, -settings.expiredSteps * stepSeconds)) {
    const outcomes = sensorIds.map((sensorId) => expired(sensorId, slot, newest, clock.now()));
    await ledger.record(outcomes, []);
    log.warn("forecast.expired", { slot, newest, sensors: sensorIds.length });
    return { slot, outcomes, forecasts: [] };
  }

  const { batch, learnt, encode } = await readShard(ports, settings, slot, sensorIds);
  let decidedAt: Date | null = null;
  const decide = ({ sensorId }: SensorSlot) => {
    decidedAt ??= later(clock.now(), slot);
    return { learnt: learnt.get(sensorId) ?? new Map<string, Adaptation>(), decidedAt };
  };

  const outcomes: Outcome[] = [];
  const forecasts: Forecast[] = [];
  const faults: { sensorId: string; error: unknown }[] = [];
  const run = runShard(fleetInference, inference);
  for await (const served of serve(run, settings, batch, decide, encode, bandsOf(ports.follower))) {
    if (!served.ok) {
      faults.push(served);
      continue;
    }
    outcomes.push(served.outcome);
    forecasts.push(...served.forecasts);
    for (const fallback of served.fallbacks) log.warn("forecast.fellBack", fallback);
  }
  await ledger.record(outcomes, forecasts, await crossingsOf(ports, forecasts, slot));
  log.info("forecast.recorded", { slot, ...countByStatus(outcomes), forecasts: forecasts.length });
  if (faults.length > 0) throw faultOf(faults, slot);
  return { slot, outcomes, forecasts };
}

/** What lists of sensors show and sort by; limits that are not to be had cost nobody a forecast. */
async function crossingsOf(
  { alerts, log }: ForecastPorts,
  forecasts: Forecast[],
  slot: Date,
): Promise<Map<string, LikeliestCrossing>> {
  if (alerts === undefined) return new Map();
  try {
    return likeliestCrossings(await alerts.book(), forecasts, slot);
  } catch (error) {
    log.warn("forecast.noCrossings", { slot, error });
    return new Map();
  }
}

/** Of each source that is read, what its sensors' forecasts have in common for some hours. */
const knownBands = new WeakMap<object, KeptBands>();

function bandsOf(follower: object): KeptBands {
  const kept = knownBands.get(follower) ?? new Map();
  knownBands.set(follower, kept);
  return kept;
}

type Shard = {
  batch: SensorSlot[];
  learnt: Awaited<ReturnType<ForecastPorts["adaptations"]["load"]>>;
  encode: EncodeModel;
};

/** What is known of the sensors, and of those that their fleets look at, in the slot; ONE query to the follower. */
async function readShard(
  { registry, adaptations, annotations, follower, fleetInference }: ForecastPorts,
  settings: ForecastSettings,
  slot: Date,
  sensorIds: string[],
): Promise<Shard> {
  const [champions, challengers, learnt] = await Promise.all([
    registry.champions(sensorIds),
    registry.challengers(sensorIds),
    adaptations.load(sensorIds),
  ]);
  const models = [...champions.values(), ...challengers];
  const fleets = await openShardFleets(fleetInference, models);
  const { fleet } = settings;
  const steps = stepsNeeded(models, settings);
  const asked = [...new Set([...sensorIds, ...fleets.panel])];
  const after = addSeconds(slot, -steps * fleet.stepSeconds);
  const [readings, disturbing] = await Promise.all([
    follower.readWindows(asked, after, slot),
    annotations.disturbing(sensorIds, after, slot),
  ]);
  const encode = await shardEncoder(fleetInference, fleets, models, { readings, fleet, slot, steps });
  const rivals = Map.groupBy(challengers, (model) => model.sensorId);
  const batch = sensorIds.map((sensorId) => ({
    sensorId,
    slot,
    readings: readings.get(sensorId) ?? emptyReadings(),
    leftOut: disturbing.get(sensorId) ?? [],
    champion: champions.get(sensorId) ?? null,
    challengers: rivals.get(sensorId) ?? [],
  }));
  return { batch, learnt, encode };
}

/** The outcome of a sensor in a slot that is too old, at `newest`, to be computed. */
export function expired(sensorId: string, slot: Date, newest: Date, decidedAt: Date): Outcome {
  const reasonText = `slot ${slot.toISOString()} was reached when ${newest.toISOString()} was due; not computed`;
  return {
    sensorId,
    slot,
    status: "expired",
    reason: "expired",
    reasonText,
    have: null,
    need: null,
    held: 0,
    decidedAt,
  };
}

function countByStatus(outcomes: Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}

function faultOf(faults: { sensorId: string; error: unknown }[], slot: Date): AppError {
  const names = faults.slice(0, 5).map((fault) => fault.sensorId);
  const text = `${faults.length} sensors not decided in slot ${slot.toISOString()}: ${names.join(", ")}; comes back`;
  return new AppError("internal", text, { cause: faults[0]!.error });
}
