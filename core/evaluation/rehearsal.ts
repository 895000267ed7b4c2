import { emptyReadings, readingsBetween } from "../data/reading.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { stepsNeeded } from "../forecast/plan.ts";
import { serve } from "../forecast/serve.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import type { RegistryReader } from "../model/ports.ts";
import { openShardFleets, runShard, shardEncoder } from "../operations/shard-fleets.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, ceilToStep, floorToStep, secondsBetween } from "../time.ts";
import { learnSlot, type OnlineMemory } from "./online.ts";

export type RehearsalBacktestPorts = Pick<Ports, "follower" | "inference" | "fleetInference"> & {
  registry: Pick<RegistryReader, "champions">;
  /** Lets others have the thread, between two slots. */
  pause(): Promise<void>;
};

/** Slots in [from, to). */
export type BacktestRequest = { sensorIds: string[]; target: string; from: Date; to: Date };

export type BacktestAnswer = {
  /** As serving would have made them; of a slot that it would have refused there is none. */
  forecasts: Forecast[];
  /** Until when the readings went that the sensors' models were trained on; null without models. */
  trainedTo: Date | null;
};

/** Mix and widths learn for so long before the first slot that counts. */
const learningSeconds = 86_400;

/**
 * What the models that serve now would have forecast in each slot, from what was known in it: neighbours, mix and
 * widths included. Only the models themselves may have seen more.
 */
export async function backtestForecasts(
  { registry, follower, inference, fleetInference, pause }: RehearsalBacktestPorts,
  settings: ForecastSettings,
  { sensorIds, target, from, to }: BacktestRequest,
): Promise<BacktestAnswer> {
  const { fleet } = settings;
  const champions = await registry.champions(sensorIds);
  const models = [...champions.values()];
  const fleets = await openShardFleets(fleetInference, models);
  const steps = stepsNeeded(models, settings);
  const reachMs = steps * fleet.stepSeconds * 1_000;
  const first = ceilToStep(addSeconds(from, -learningSeconds), fleet.stepSeconds);
  const asked = [...new Set([...sensorIds, ...fleets.panel])];
  const readings = await follower.readWindows(asked, new Date(first.getTime() - reachMs), to);
  const memories = new Map(sensorIds.map((id): [string, OnlineMemory] => [id, { states: new Map(), forecasts: [] }]));
  const run = runShard(fleetInference, inference);
  // The panel's whole past at once: what is looked at ends at the origin (neighbours.ts). Made anew for each slot it
  // costs ten times as much, and differs only where a lone reading of a neighbour turns out to be false or true.
  const whole = steps + Math.ceil(secondsBetween(first, to) / fleet.stepSeconds);
  const panel = { readings, fleet, slot: floorToStep(to, fleet.stepSeconds), steps: whole };
  const encode = await shardEncoder(fleetInference, fleets, models, panel);
  const forecasts: Forecast[] = [];
  for (let slot = first; slot < to; slot = addSeconds(slot, fleet.stepSeconds)) {
    const knownOf = (id: string) =>
      readingsBetween(readings.get(id) ?? emptyReadings(), slot.getTime() - reachMs, slot.getTime());
    const batch = sensorIds.map((sensorId) => {
      const champion = champions.get(sensorId) ?? null;
      return { sensorId, slot, readings: knownOf(sensorId), champion, challengers: [] };
    });
    const decide = ({ sensorId }: { sensorId: string }) => ({
      learnt: memories.get(sensorId)!.states,
      decidedAt: slot,
    });
    for await (const served of serve(run, settings, batch, decide, encode)) {
      const { sensorId } = served;
      if (!served.ok) throw served.error;
      learnSlot(memories.get(sensorId)!, settings, readings.get(sensorId) ?? emptyReadings(), served);
      if (slot < from) continue;
      const own = served.forecasts.filter((one) => one.isServed && one.target === target);
      forecasts.push(...own.map((one) => ({ ...one, mix: null })));
    }
    await pause();
  }
  const ends = models.map(({ manifest }) => Date.parse(manifest.training.to)).filter(Number.isFinite);
  return { forecasts, trainedTo: ends.length === 0 ? null : new Date(Math.max(...ends)) };
}
