import { type Facts, judge } from "../alert/judge.ts";
import { type Made, noticesOf } from "../alert/notices.ts";
import type { Alerts, NewNotice, StandingChange, StoredStanding } from "../alert/ports.ts";
import { isMuted, type Rule } from "../alert/rule.ts";
import { advance, type Patience, type Standing } from "../alert/state.ts";
import { describeEvidence } from "../alert/words.ts";
import { secondsBetween } from "../time.ts";
import { type AlertPorts, type AlertSettings, freshCycles } from "./alert-ports.ts";

type Look = {
  slot: Date;
  sensorIds: string[];
  watched: Map<string, Rule[]>;
  standings: StoredStanding[];
  factsOf(sensorId: string): Facts;
};

/** Takes each rule's step at each of its sensors, and stores all of it. */
export async function look(
  ports: AlertPorts,
  settings: AlertSettings,
  { slot, sensorIds, watched, standings, factsOf }: Look,
) {
  const before = new Map(standings.map((one) => [pairKey(one.ruleId, one.sensorId), one]));
  const changes: StandingChange[] = [];
  const notices: NewNotice[] = [];
  const writtenAt = ports.wall.now();
  // Of a blindness that passes within two cycles nobody hears; those that begin then are told together.
  const settleSeconds = freshCycles * settings.wallCycleSeconds;
  for (const sensorId of sensorIds) {
    const facts = factsOf(sensorId);
    for (const rule of watched.get(sensorId)!) {
      const known = before.get(pairKey(rule.ruleId, sensorId)) ?? null;
      const made = step(rule, sensorId, facts, known);
      if (made === null) continue;
      changes.push(made.change);
      notices.push(...noticesOf(made, facts.profile, { slot, writtenAt, settleSeconds }));
    }
  }
  await write(ports, { slot, sensorIds, now: ports.clock.now(), changes, notices, writtenAt });
}

/** Stores the pass, then asks the queue to tell. */
async function write({ alerts, queue, log }: AlertPorts, pass: Parameters<Alerts["record"]>[0]): Promise<void> {
  const counted = new Set(await alerts.record(pass));
  const told = pass.notices.filter(({ sensorId }) => counted.has(sensorId));
  if (pass.changes.length > 0) {
    log.info("alert.recorded", { slot: pass.slot, changes: pass.changes.length, notices: told.length });
  }
  const first = new Map(told.map((one) => [one.channelId, one]));
  if (first.size === 0) return;
  const messages = [...first.values()].map(({ channelId, notice, dueAt }) => ({
    key: `${channelId}/${notice.idempotencyKey}`,
    delaySeconds: Math.max(0, Math.ceil(secondsBetween(pass.writtenAt, dueAt))),
    body: { channelId, slot: pass.slot.toISOString() },
  }));
  await queue
    .send("notify", messages)
    .catch((error: unknown) => log.warn("alert.notQueued", { channels: messages.length, error }));
}

/** One rule's step at one sensor; null where nothing changes, or there is nothing to watch. */
function step(rule: Rule, sensorId: string, facts: Facts, known: StoredStanding | null): Made | null {
  const isFiring = known !== null && known.firedAt !== null;
  const judged = judge(rule, facts, isFiring);
  if (judged === null) {
    return (
      known && { change: { rule, sensorId, standing: null, evidence: {}, cleared: true }, changes: [], evidence: {} }
    );
  }
  const { standing, changes } = advance(known, judged.verdict, facts.slot, patienceOf(rule), isMuted(rule, facts.slot));
  if (changes.length === 0 && isSame(known, standing)) return null;
  const evidence = standing === null ? (known?.evidence ?? {}) : judged.evidence();
  const change: StandingChange = { rule, sensorId, standing, evidence };
  if (changes.includes("fired")) change.fired = { text: describeEvidence(rule.condition.kind, evidence) };
  if (isFiring && standing === null) change.cleared = true;
  if (changes.includes("saw")) change.saw = true;
  return { change, changes, evidence };
}

/** How long and how often it must be so; how long a sensor was silent its readings tell by themselves. */
export function patienceOf({ pendingCycles, repeatSeconds, condition }: Rule): Patience {
  return { pendingCycles, repeatSeconds, forSeconds: condition.kind === "unforecast" ? condition.forSeconds : 0 };
}

function isSame(a: Standing | null, b: Standing | null): boolean {
  if (a === null || b === null) return a === b;
  return a.state === b.state && a.cycles === b.cycles && a.toldAt?.getTime() === b.toldAt?.getTime();
}

function pairKey(ruleId: string, sensorId: string): string {
  return `${ruleId} ${sensorId}`;
}
