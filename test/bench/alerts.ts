// node test/bench/alerts.ts [--sensors 2000 --rules 10000 --cycles 8 --unrest .2]: what rules add to a cycle, as JSON:
// CPU of this process for each sensor and cycle, in ms. Forecasts are in memory, as serving hands them on; half of the
// rules have a limit close to the forecast. `chance*`: what the fleet page's chance adds, in microseconds a sensor.
import { parseArgs } from "node:util";
import { likeliestCrossings } from "../../core/alert/likeliest.ts";
import { RuleBody } from "../../core/alert/rule.ts";
import { emptyProfile, type Limits } from "../../core/forecast/profile.ts";
import { alertShard } from "../../core/operations/alert.ts";
import { addSeconds } from "../../core/time.ts";
import { openDatabase } from "../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../functions/adapters/postgres/schema.ts";
import { createViews } from "../../functions/adapters/postgres/views.ts";
import { alertStores } from "../../functions/runtime/alerts.ts";
import { randomOf, someSlot } from "../builders.ts";
import { testClock } from "../fakes/clock.ts";
import { memoryFollower } from "../fakes/follower.ts";
import { quietLog } from "../fakes/log.ts";
import { memoryQueue } from "../fakes/queue.ts";
import { forecastOf, outcomeOf } from "../functions/api/harness.ts";
import { startTestPostgres } from "../postgres.ts";

const number = { type: "string" } as const;
const { values } = parseArgs({ options: { sensors: number, rules: number, cycles: number, unrest: number } });
const [sensors, rules, cycles] = [values.sensors ?? 2_000, values.rules ?? 10_000, values.cycles ?? 8].map(Number) as [
  number,
  number,
  number,
];
const [shard, stepSeconds] = [100, 600];
const unrest = Number(values.unrest ?? 0.2);

const postgres = await startTestPostgres();
const database = openDatabase<PredictorSchema>({
  url: await postgres.createPredictorDatabase(),
  side: "predictor",
  max: 4,
});
const stores = alertStores(database, { alertSecretKey: "k".repeat(32) });
const clock = testClock(someSlot);
const ids = Array.from({ length: sensors }, (_, i) => `sensor-${i}`);
const since = addSeconds(someSlot, -stepSeconds);
const bodies = Array.from({ length: rules }, (_, i) => {
  const isNear = i % 2 === 0;
  const condition = {
    kind: "forecast",
    target: "temperature",
    high: isNear ? 26 : 40,
    chance: 0.5,
    withinSeconds: 21_600,
  };
  const body = RuleBody.parse({ name: `rule ${i}`, selector: { sensorIds: [ids[i % sensors]!] }, condition });
  return { rule_id: `r${i}`, body: JSON.stringify(body), created_at: since, created_by: "bench", since };
});
for (let i = 0; i < bodies.length; i += 1_000)
  await database.db
    .insertInto("alert_rule")
    .values(bodies.slice(i, i + 1_000))
    .execute();

const ports = {
  ...{ clock, wall: clock, log: quietLog(), queue: memoryQueue(), follower: memoryFollower(new Map()) },
  ...{ alerts: stores.alerts, views: createViews(database.db) },
};
const settings = { cycleSeconds: stepSeconds, wallCycleSeconds: stepSeconds, staleSeconds: 2 * stepSeconds };
const random = randomOf(3);
const leads = Array.from({ length: 44 }, (_, h) => (h < 24 ? h + 1 : 24 + 6 * (h - 23)));

const levels = ids.map(() => 20 + 6 * random());

/** Everybody's forecasts of a cycle: each sensor wanders by up to --unrest, so that some come and go across 26. */
function decide(cycle: number) {
  const slot = addSeconds(someSlot, cycle * stepSeconds);
  return ids.map((sensorId, i) => {
    levels[i]! += unrest * (2 * random() - 1);
    const level = levels[i]!;
    const ramp = (by: number) => leads.map((lead) => level + by * (0.3 + 0.1 * Math.sqrt(lead)));
    const forecast = forecastOf({
      sensorId,
      origin: slot,
      leads,
      q10: ramp(-1),
      q50: ramp(0),
      q90: ramp(1),
      lastValue: level,
    });
    return { outcome: outcomeOf({ sensorId, slot }), forecast };
  });
}

const firing = async () => {
  const rows = await database.db.selectFrom("alert_standing").select(["rule_id"]).execute();
  return rows.map((row) => row.rule_id);
};

const spent: number[] = [];
const changes: number[] = [];
for (let cycle = 0; cycle < cycles; cycle++) {
  const decided = decide(cycle);
  const slot = addSeconds(someSlot, cycle * stepSeconds);
  const before = new Set(await firing());
  const from = process.cpuUsage();
  for (let i = 0; i < sensors; i += shard) {
    const some = decided.slice(i, i + shard);
    const sensorIds = ids.slice(i, i + shard);
    await alertShard(ports, settings, {
      slot,
      sensorIds,
      outcomes: some.map((one) => one.outcome),
      forecasts: some.map((one) => one.forecast),
    });
  }
  const used = process.cpuUsage(from);
  spent.push((used.user + used.system) / 1000 / sensors);
  const after = new Set(await firing());
  changes.push([...after].filter((id) => !before.has(id)).length + [...before].filter((id) => !after.has(id)).length);
  clock.advance(stepSeconds);
}
/** Of two limits each, in which bounds alone decide few, and of none: the quickest of some rounds. */
function chanceUs(limits: Limits | null): number {
  const profiles = new Map(
    limits === null ? [] : ids.map((id) => [id, { ...emptyProfile, limits: { temperature: limits } }]),
  );
  const forecasts = decide(cycles).map((one) => one.forecast);
  const rounds = Array.from({ length: 15 }, () => {
    const from = process.cpuUsage();
    for (let i = 0; i < sensors; i += shard) {
      const slot = forecasts[i]!.slot;
      likeliestCrossings({ rules: [], profiles }, forecasts.slice(i, i + shard), slot);
    }
    const used = process.cpuUsage(from);
    return (used.user + used.system) / sensors;
  });
  return Math.min(...rounds);
}

const round = (value: number) => Number(value.toPrecision(3));
const warm = spent.slice(1).toSorted((a, b) => a - b);
console.log(
  JSON.stringify({
    ...{ sensors, rules, cycles, firstCycleMs: round(spent[0]!), medianMs: round(warm[warm.length >> 1]!) },
    ...{ worstMs: round(warm.at(-1)!), changes },
    ...{ chanceUs: round(chanceUs({ low: 18, high: 26 })), chanceWithoutLimitsUs: round(chanceUs(null)) },
  }),
);
await database.close();
await postgres.stop();
