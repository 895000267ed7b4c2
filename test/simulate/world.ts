import type { AuditEntry } from "../../core/access/audit.ts";
import type { Readings } from "../../core/data/reading.ts";
import { defaultForecastSettings } from "../../core/forecast/settings.ts";
import { ForecastMessage, type QueueMessage, type QueueName, ScoreMessage } from "../../core/messages.ts";
import type { ModelInput, ModelOutput } from "../../core/model/tensors.ts";
import { defaultDriftSettings } from "../../core/operations/drift.ts";
import { ungrouped } from "../../core/operations/fleet-groups.ts";
import { forecast } from "../../core/operations/forecast.ts";
import type { HoleSettings } from "../../core/operations/holes.ts";
import { defaultPromotionSettings } from "../../core/operations/judge.ts";
import { defaultScoreSettings, score } from "../../core/operations/score.ts";
import { addSeconds } from "../../core/time.ts";
import { timesOf } from "../../functions/config/cron.ts";
import { runTimetable } from "../../functions/machine/scheduler.ts";
import { createPromoteHandler } from "../../functions/promote.ts";
import { createScheduleHandler } from "../../functions/schedule.ts";
import { fleetOf, manifestOf, modelOf, randomOf, someSlot, temperature, wave } from "../builders.ts";
import { memoryAdaptations } from "../fakes/adaptations.ts";
import { memoryAnnotations } from "../fakes/annotations.ts";
import { memoryAudit } from "../fakes/audit.ts";
import { testClock } from "../fakes/clock.ts";
import { memoryFollower } from "../fakes/follower.ts";
import { functionInference, noFleets } from "../fakes/inference.ts";
import { memoryLedger } from "../fakes/ledger.ts";
import { memoryProfiles } from "../fakes/profiles.ts";
import { memoryRegistry } from "../fakes/registry.ts";

const stepSeconds = 600;
const history = 320;
export const fleet = fleetOf({ leads: [1, 2, 4], targets: [temperature] });
const forecastSettings = { ...defaultForecastSettings(fleet, "simulated"), baselineSteps: 60, contextLength: 12 };
const scoreSettings = defaultScoreSettings(fleet);
const cycleCron = "*/10 * * * *";
const settleSeconds = 60;
const { shortestSeconds, between } = timesOf(cycleCron);
const holeSettings: HoleSettings = {
  ...{ stepSeconds, shardSize: 2, activeSeconds: 86_400, groups: ungrouped, cycleSeconds: shortestSeconds },
  ...{ expiredSteps: forecastSettings.expiredSteps, dueSlots: between },
};
const retrainSettings = { fleet, drift: defaultDriftSettings, minimumAgeSeconds: 86_400 };
/** A world is too short for the many moments that a judge wants. */
export const minimumMoments = 6;
const promotionSettings = { ...defaultPromotionSettings(fleet.leads), horizon: 2, minimumMoments, maximumMoments: 40 };
export const slotAt = (steps: number) => addSeconds(someSlot, steps * stepSeconds);
export const sensorIds = ["a", "b", "c"];
/** Models of even numbers are good, those of odd ones are not: a judge has something to decide. */
const answer = ({ modelId }: ModelInput): ModelOutput => {
  const off = Number(modelId.split("-").at(-1)) % 2 === 0 ? 0 : 3;
  const band = (width: number) => [off - width, off, off + width];
  return { ok: true, quantiles: Float32Array.from([0.2, 0.2, 0.4].flatMap(band)), ridge: null };
};

type Sent = { queue: QueueName; message: QueueMessage; tries: number };
export type World = ReturnType<typeof createWorld>;

/** The real use cases over ports in memory that lie, fail and pause as a seed says, until `heal`. */
export function createWorld(seed: number, steps: number) {
  const random = randomOf(seed);
  const story: string[] = [];
  const clock = testClock(slotAt(0));
  const arrivals = arrivalsOf(random, steps);
  const bySensor = new Map<string, Readings>();
  const follower = memoryFollower(bySensor);
  const ledger = memoryLedger();
  const firstSeen = new Map<string, string>();
  const registry = memoryRegistry(sensorIds.map((id) => modelOf(modelFor(id, 0))));
  const queued: Sent[] = [];
  const keys = new Set<string>();
  let faultShare = 0.01 + 0.06 * random();
  let depth = 0;

  const show = () => {
    for (const [id, all] of arrivals) bySensor.set(id, known(all, clock.now().getTime()));
  };
  const queue = {
    async send(name: QueueName, messages: QueueMessage[]) {
      for (const message of messages) {
        if (keys.has(`${name}/${message.key}`)) continue;
        keys.add(`${name}/${message.key}`);
        queued.push({ queue: name, message, tries: 0 });
      }
    },
  };
  /** A fault at every await: crash before or after its effect, or a pause in which the others go on. */
  const faulty = <T extends object>(name: string, port: T): T =>
    new Proxy(port, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== "function") return value;
        return async (...given: unknown[]) => {
          const call = `${name}.${String(property)}`;
          const chance = random();
          if (chance < faultShare) throw crash(`crash before ${call}`);
          if (chance < 1.6 * faultShare) await pause(call);
          const result: unknown = await Reflect.apply(value, target, given);
          if (random() < faultShare) throw crash(`crash after ${call}`);
          return result;
        };
      },
    });
  const crash = (text: string) => {
    story.push(`${clock.now().toISOString()} ${text}`);
    return new Error(text);
  };
  const pause = async (call: string) => {
    if (depth > 0) return;
    depth++;
    const seconds = Math.floor(random() * 3 * stepSeconds);
    story.push(`${clock.now().toISOString()} pause of ${seconds} s at ${call}`);
    clock.advance(seconds);
    await tick();
    // The others catch up meanwhile: a score may be made before the paused forecast is recorded.
    await deliver(12);
    depth--;
  };
  const raw = { ledger, registry, follower, adaptations: memoryAdaptations(), profiles: memoryProfiles() };
  const annotations = memoryAnnotations();
  const audit = memoryAudit();
  /** Promotions that the judge carried out, with the moments of the champion to be that were scored by then. */
  const judged: { modelId: string; moments: number }[] = [];
  const ports = {
    clock,
    log: { info() {}, warn() {}, error() {} },
    inference: functionInference(answer),
    fleetInference: noFleets(),
    queue: faulty("queue", queue),
    follower: faulty("follower", raw.follower),
    ledger: faulty("ledger", ledger),
    scores: faulty("scores", ledger),
    registry: faulty("registry", registry),
    adaptations: faulty("adaptations", raw.adaptations),
    profiles: faulty("profiles", raw.profiles),
    annotations: faulty("annotations", annotations),
    audit: {
      async record(entry: AuditEntry) {
        await audit.record(entry);
        if (entry.action !== "model.promote") return;
        const modelId = entry.object?.replace("models/", "") ?? "";
        const rows = [...ledger.scores.values()].filter(({ modelKey }) => modelKey === modelId);
        judged.push({ modelId, moments: new Set(rows.map(({ targetAt }) => targetAt.getTime())).size });
      },
    },
  };
  const handleSchedule = createScheduleHandler(ports, { schedule: holeSettings, retrain: retrainSettings });
  const handlePromote = createPromoteHandler(ports, promotionSettings);

  const attempt = (work: () => Promise<unknown>) =>
    work().then(
      () => true,
      () => false,
    );
  let lastSlot: Date | null = null;
  /** The timetables as they are: until they sleep, or a run of theirs fails, which ends the process now and then. */
  async function tick() {
    show();
    // A second scheduler, and one that was started anew, know nothing of what the first has met.
    if (random() < 0.3) lastSlot = null;
    await runDue(
      "cycle",
      cycleCron,
      lastSlot ?? addSeconds(clock.now(), -settleSeconds - shortestSeconds),
      async (at) => {
        await handleSchedule({ time: at.toISOString(), task: "forecast" });
        await handleSchedule({ time: at.toISOString(), task: "score" });
        lastSlot = at;
      },
    );
    note();
  }
  async function runDue(name: string, cron: string, since: Date, run: (at: Date) => Promise<void>) {
    const stop = new AbortController();
    const untilItSleeps = { now: clock.now, sleepUntil: async () => stop.abort() };
    await runTimetable(untilItSleeps, ports.log, { name, cron, delaySeconds: settleSeconds, run }, since, stop.signal);
  }
  const note = () => {
    for (const row of ledger.forecasts.values()) {
      const key = `${row.sensorId}|${row.origin.toISOString()}|${row.modelKey}`;
      if (!firstSeen.has(key)) firstSeen.set(key, JSON.stringify(row));
    }
  };
  /** Takes messages in any order, some twice; a failed one comes back up to five times. */
  async function deliver(most: number) {
    for (let n = 0; n < most && queued.length > 0; n++) {
      const [one] = queued.splice(Math.floor(random() * queued.length), 1);
      show();
      const { message } = one!;
      const isDone = await attempt(() =>
        one!.queue === "forecast"
          ? forecast(ports, forecastSettings, ForecastMessage.parse(message.body))
          : score(ports, scoreSettings, ScoreMessage.parse(message.body)),
      );
      note();
      const isAgain = isDone ? random() < faultShare : one!.tries < 5;
      if (isAgain) queued.push({ ...one!, tries: one!.tries + 1 });
    }
  }
  /** A training that is done leaves a challenger; now and then somebody promotes it by hand, or takes that back. */
  async function train() {
    const sensorId = sensorIds[Math.floor(random() * sensorIds.length)]!;
    const manifest = modelFor(sensorId, Math.round((clock.now().getTime() - someSlot.getTime()) / 1000 / stepSeconds));
    await attempt(async () => {
      await ports.registry.register({ manifest, statusReason: "trained", now: clock.now() });
      if (random() < 0.5) return;
      await ports.registry.promote(manifest.modelId, "by hand", clock.now());
      if (random() < 0.3) await ports.registry.rollback(sensorId, "worse", clock.now());
    });
  }
  /** The judge's time: he decides about every challenger by what was scored. */
  async function judge() {
    await attempt(() => handlePromote({ time: clock.now().toISOString() }));
  }
  return {
    ...{ ports, ledger, registry, random, clock, story, firstSeen, sensorIds, queued, judged },
    ...{ tick, deliver, train, judge },
    /** Whether the sensor's reading of the slot's own moment is sound and was there at once. */
    isOnTime: (sensorId: string, slot: Date) =>
      arrivals
        .get(sensorId)!
        .some(({ at, value, seenAt }) => at === slot.getTime() && seenAt === at && Math.abs(value) < 50),
    heal() {
      faultShare = 0;
    },
  };
}

function modelFor(sensorId: string, steps: number) {
  const to = addSeconds(slotAt(steps), steps === 0 ? -86_400 : -stepSeconds).toISOString();
  const training = { ...manifestOf().training, to };
  return manifestOf({
    modelId: `${sensorId}-${steps}`,
    sensorId,
    targets: [temperature],
    horizon: fleet.leads.length,
    leads: fleet.leads,
    contextLength: 12,
    training,
  });
}

type Arrival = { at: number; value: number; seenAt: number };

/** A sensor's readings with when the follower shows them: late ones, doubles, corrupt ones, some stamped ahead. */
function arrivalsOf(random: () => number, steps: number): Map<string, Arrival[]> {
  return new Map(
    sensorIds.map((id, k) => {
      const values = wave(history + steps, { seed: k + 1 });
      const all = values.flatMap((value, i): Arrival[] => {
        const at = slotAt(i - history + 1).getTime();
        if (i < history || random() > 0.25) return [{ at, value, seenAt: at }];
        const kind = Math.floor(random() * 5);
        if (kind === 0) return [];
        if (kind === 1) return [{ at, value, seenAt: at + random() * 4e6 }];
        if (kind === 2)
          return [
            { at, value, seenAt: at },
            { at, value, seenAt: at + 6e5 },
          ];
        if (kind === 3) return [{ at, value: [Number.NaN, 1e38, -9999][i % 3]!, seenAt: at }];
        return [{ at: at + 3.6e7, value, seenAt: at }];
      });
      return [id, all];
    }),
  );
}

function known(all: Arrival[], now: number): Readings {
  const seen = all.filter(({ seenAt }) => seenAt <= now);
  return {
    at: Float64Array.from(seen, ({ at }) => at),
    values: { temperature: Float64Array.from(seen, ({ value }) => value) },
  };
}
