import { rounderOf, roundQuantiles } from "../../core/data/resolution.ts";
import type { Forecast } from "../../core/forecast/forecast.ts";
import { quantilesOfMix } from "../../core/mix/mix.ts";
import { addSeconds, secondsBetween } from "../../core/time.ts";
import { temperature } from "../builders.ts";
import { minimumMoments, type World } from "./world.ts";

/** What is wrong with a world whose faults have healed; empty where nothing is. Computed from what is stored alone. */
export function violations(
  { ledger, registry, sensorIds, firstSeen, isOnTime: isOnTimeAt, judged }: World,
  slots: Date[],
  scoredUpTo: Date,
): string[] {
  const found: string[] = [];
  const name = (row: Forecast) => `${row.sensorId} at ${row.origin.toISOString()}`;
  const rows = [...ledger.forecasts.values()];
  for (const slot of slots) {
    if (!ledger.cycles.has(slot.toISOString())) found.push(`slot ${slot.toISOString()} has no cycle`);
    for (const sensorId of sensorIds) {
      const outcome = ledger.outcomes.get(`${sensorId}|${slot.toISOString()}`);
      if (!outcome) found.push(`${sensorId} has no outcome in ${slot.toISOString()}`);
      const isServed = outcome?.status === "issued" || outcome?.status === "baseline";
      // Of one origin the first forecast stays: a stale slot may have to do with that of another slot.
      const isOnTime = isOnTimeAt(sensorId, slot);
      const reach = isOnTime ? 0 : 3600;
      const has = rows.some(
        (row) =>
          row.isServed && row.sensorId === sensorId && row.origin <= slot && addSeconds(row.origin, reach) >= slot,
      );
      if (isServed && !has) found.push(`${sensorId} lacks its forecast of ${slot.toISOString()}`);
      const own = rows.some(
        (row) => row.isServed && row.sensorId === sensorId && row.slot.getTime() === slot.getTime(),
      );
      if (outcome && !isServed && own)
        found.push(`${sensorId} has a forecast in ${outcome.status} ${slot.toISOString()}`);
    }
  }
  for (const row of rows) {
    const { origin, slot, issuedAt, sourceWatermark, mix, modelId } = row;
    const isOrdered = sourceWatermark <= origin && origin <= slot && slot <= issuedAt;
    if (!isOrdered) found.push(`${name(row)}: watermark, origin, slot and issue are out of order`);
    if (mix?.learntThrough && mix.learntThrough > origin) found.push(`${name(row)} learnt from after its origin`);
    const to = modelId && registry.models.get(modelId)?.manifest.training.to;
    if (to && new Date(to) > origin) found.push(`${name(row)} by a model of later`);
    row.q50.forEach((middle, h) => {
      const isSound = [row.q10[h]!, middle, row.q90[h]!].every(
        (one) => Number.isFinite(one) && one >= -40 && one <= 85,
      );
      if (!isSound || row.q10[h]! > middle || middle > row.q90[h]!)
        found.push(`${name(row)}: quantiles of lead ${row.leads[h]}`);
    });
    // Issued in steps of the target's resolution: the mix again, rounded again, is the very row.
    const { q10, q50, q90 } = row;
    const replayed = mix && roundQuantiles(quantilesOfMix(mix, temperature), rounderOf(temperature));
    if (replayed && JSON.stringify(replayed) !== JSON.stringify({ q10, q50, q90 }))
      found.push(`${name(row)} does not replay`);
    const seen = firstSeen.get(`${row.sensorId}|${origin.toISOString()}|${row.modelKey}`);
    if (seen !== JSON.stringify(row)) found.push(`${name(row)} changed after it was stored`);
  }
  const championsOf = Map.groupBy(
    [...registry.models.values()].filter((one) => one.status === "champion"),
    (one) => one.sensorId,
  );
  for (const [sensorId, champions] of championsOf)
    if (champions.length > 1) found.push(`${sensorId} has ${champions.length} champions`);
  for (const { modelId, moments } of judged)
    if (moments < minimumMoments) found.push(`${modelId} was judged better on ${moments} moments`);
  for (const score of ledger.scores.values()) {
    if (score.targetAt > scoredUpTo) continue;
    const expected = new Map<number, number>();
    for (const row of rows) {
      const lead = secondsBetween(row.origin, score.targetAt) / row.stepSeconds;
      const isOne = row.sensorId === score.sensorId && row.modelKey === score.modelKey && row.target === score.target;
      const h = row.leads.indexOf(lead);
      if (isOne && h >= 0 && row.issuedAt < score.targetAt) expected.set(lead, score.actual - row.q50[h]!);
    }
    const stored = new Map(
      score.error.flatMap((error, h) => (error === null ? [] : [[score.leads[h]!, error] as const])),
    );
    const sorted = (leads: Map<number, number>) => JSON.stringify([...leads].sort(([a], [b]) => a - b));
    if (sorted(expected) !== sorted(stored)) {
      found.push(
        `score of ${score.sensorId} at ${score.targetAt.toISOString()}: leads ${[...stored.keys()]}, not ${[...expected.keys()]}`,
      );
    }
  }
  return found;
}
