import { type Evidence, type Facts, judge } from "../alert/judge.ts";
import type { Alerts, NewNotice, NoticeKind, RuleBook, StandingChange, StoredStanding } from "../alert/ports.ts";
import { isMuted, noSensor, type Rule, selects, systemKinds } from "../alert/rule.ts";
import { advance, type Change, type Patience, type Standing } from "../alert/state.ts";
import { describeBlind, describeEvidence, nameOf } from "../alert/words.ts";
import type { Forecast, Outcome } from "../forecast/forecast.ts";
import type { Profile } from "../forecast/profile.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, secondsBetween } from "../time.ts";
import type { AccuracyViews, ForecastViews } from "../views.ts";

export type AlertSettings = {
  /** Time between two cycles, of the Clock and of the wall, which differ in the demo. */
  cycleSeconds: number;
  wallCycleSeconds: number;
  /** A source whose newest reading of all is older than this is stale. */
  staleSeconds: number;
};

export type AlertPorts = Pick<Ports, "log" | "queue"> & {
  clock: Pick<Ports["clock"], "now">;
  /** For notices, whose readers live by it. */
  wall: Pick<Ports["clock"], "now">;
  follower: Pick<Ports["follower"], "newestReadings" | "state">;
  alerts: Alerts;
  views: Pick<ForecastViews, "outcomes" | "forecastsOfSlot"> & Pick<AccuracyViews, "scoreSums">;
};

const hourSeconds = 3_600;
const weekSeconds = 7 * 86_400;

/** A slot this many cycles behind the clock is the past: who looks at it must not say that it is so now. */
const freshCycles = 2;

/** What a shard came to in this pass; of sensors that were decided by an earlier one it is read again. */
export type Decided = { slot: Date; sensorIds: string[]; outcomes: Outcome[]; forecasts: Forecast[] };

/**
 * Looks with every rule at the sensors of a shard whose slot has just been decided. Doing it again, or for a slot that
 * is past, changes nothing. What is to be told is stored with the standings and then handed to the queue; a queue that
 * does not answer costs nothing, as the next sweep finds what was left.
 */
export async function alertShard(ports: AlertPorts, settings: AlertSettings, decided: Decided): Promise<void> {
  const { alerts, clock } = ports;
  const { slot } = decided;
  if (slot < addSeconds(clock.now(), -freshCycles * settings.cycleSeconds)) return;
  const book = await alerts.book();
  if (book.rules.length === 0) return;
  const watched = watchedBy(book, decided.sensorIds, slot.getTime() % (hourSeconds * 1000) === 0);
  if (watched.size === 0) return;
  const [standings, facts] = await Promise.all([
    alerts.standings([...watched.keys()]),
    factsOf(ports, book, watched, decided, settings),
  ]);
  // Who is not decided yet comes back with its message, or is swept.
  const sensorIds = [...watched.keys()].filter((sensorId) => facts.get(sensorId)!.outcome !== null);
  await look(ports, settings, { slot, sensorIds, watched, standings, factsOf: (sensorId) => facts.get(sensorId)! });
}

type Look = {
  slot: Date;
  sensorIds: string[];
  watched: Map<string, Rule[]>;
  standings: StoredStanding[];
  factsOf(sensorId: string): Facts;
};

async function look(
  ports: AlertPorts,
  settings: AlertSettings,
  { slot, sensorIds, watched, standings, factsOf }: Look,
) {
  const before = new Map(standings.map((one) => [pairKey(one.ruleId, one.sensorId), one]));
  const changes: StandingChange[] = [];
  const notices: NewNotice[] = [];
  const writtenAt = ports.wall.now();
  for (const sensorId of sensorIds) {
    const facts = factsOf(sensorId);
    for (const rule of watched.get(sensorId)!) {
      const known = before.get(pairKey(rule.ruleId, sensorId)) ?? null;
      const made = step(rule, sensorId, facts, known);
      if (made === null) continue;
      changes.push(made.change);
      notices.push(...noticesOf(made, facts.profile, { slot, writtenAt, settings }));
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

type Made = { change: StandingChange; changes: Change[]; evidence: Evidence };

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

const kindOf: Partial<Record<Change, NoticeKind>> = {
  told: "fired",
  repeated: "repeated",
  cleared: "cleared",
  blinded: "blinded",
};

function noticesOf(
  { change: { rule, sensorId }, changes, evidence }: Made,
  profile: Profile | null,
  { slot, writtenAt, settings }: { slot: Date; writtenAt: Date; settings: AlertSettings },
): NewNotice[] {
  const kinds = changes.flatMap((one) => kindOf[one] ?? []);
  // Of a blindness that passes within two cycles nobody hears; those that begin then are told together.
  const settle = freshCycles * settings.wallCycleSeconds;
  return kinds.flatMap((kind) => {
    const what = kind === "blinded" ? describeBlind(evidence) : describeEvidence(rule.condition.kind, evidence);
    const text = `${nameOf(sensorId, profile)}: ${kind === "cleared" ? `over: ${what}` : what}`;
    const sensor =
      sensorId === noSensor
        ? null
        : { sensorId, name: profile?.name ?? null, group: profile?.group ?? null, place: profile?.place ?? null };
    return rule.channelIds.map(
      (channelId): NewNotice => ({
        channelId,
        ruleId: rule.ruleId,
        sensorId,
        dueAt: kind === "blinded" ? addSeconds(writtenAt, settle) : writtenAt,
        notice: {
          idempotencyKey: keyOf(rule.ruleId, channelId, slot, kind, sensorId),
          kind,
          at: slot.toISOString(),
          severity: rule.severity,
          rule: { ruleId: rule.ruleId, name: rule.name },
          sensor,
          text,
          evidence,
        },
      }),
    );
  });
}

/** One notice, one key: printable, whatever the sensor is called, and without the dot that signatures part by. */
function keyOf(ruleId: string, channelId: string, slot: Date, kind: NoticeKind, sensorId: string): string {
  const sensor = encodeURIComponent(sensorId.toWellFormed()).replaceAll(".", "%2E");
  return [ruleId, channelId, slot.getTime(), kind, sensor].join("_");
}

/**
 * The rules that look at each of these sensors; without those that no rule looks at. Accuracy is of a week: it is
 * looked at by the hour.
 */
function watchedBy({ rules, profiles }: RuleBook, sensorIds: string[], withAccuracy: boolean): Map<string, Rule[]> {
  const index = indexOf(rules);
  const watched = new Map<string, Rule[]>();
  for (const sensorId of sensorIds) {
    const profile = profiles.get(sensorId) ?? null;
    const wide = index.wide.filter((rule) => selects(rule, sensorId, profile));
    const these = [...wide, ...(index.named.get(sensorId) ?? [])].filter(
      ({ condition }) => withAccuracy || condition.kind !== "accuracy",
    );
    if (these.length > 0) watched.set(sensorId, these);
  }
  return watched;
}

type Index = { wide: Rule[]; named: Map<string, Rule[]> };
const indexes = new WeakMap<Rule[], Index>();

/** Rules that name their sensors are found by those: thousands of them must not be asked about each sensor. */
function indexOf(rules: Rule[]): Index {
  const known = indexes.get(rules);
  if (known !== undefined) return known;
  const index: Index = { wide: [], named: new Map() };
  for (const rule of rules) {
    if (systemKinds.has(rule.condition.kind)) continue;
    if (!("sensorIds" in rule.selector)) index.wide.push(rule);
    else {
      for (const sensorId of new Set(rule.selector.sensorIds)) {
        index.named.set(sensorId, [...(index.named.get(sensorId) ?? []), rule]);
      }
    }
  }
  indexes.set(rules, index);
  return index;
}

async function factsOf(
  { follower, views, log }: AlertPorts,
  book: RuleBook,
  watched: Map<string, Rule[]>,
  { slot, outcomes, forecasts }: Decided,
  { staleSeconds }: AlertSettings,
): Promise<Map<string, Facts>> {
  const sensorIds = [...watched.keys()];
  const here = new Set(outcomes.map((one) => one.sensorId));
  const earlier = sensorIds.filter((sensorId) => !here.has(sensorId));
  const [oldOutcomes, oldForecasts] =
    earlier.length === 0
      ? [[], []]
      : await Promise.all([views.outcomes(earlier, slot), views.forecastsOfSlot(earlier, slot)]);
  const silent = sensorIds.filter((id) => watched.get(id)!.some(({ condition }) => condition.kind === "silent"));
  const newest =
    silent.length === 0
      ? new Map<string, Date | null>()
      : await follower.newestReadings(silent).catch((error: unknown) => {
          log.warn("alert.sourceUnanswered", { slot, error });
          return new Map<string, Date | null>();
        });
  const asksForSource = (rule: Rule) => rule.condition.kind === "silent" || rule.condition.kind === "unforecast";
  const isAsked = [...watched.values()].some((rules) => rules.some(asksForSource));
  const source = isAsked ? await follower.state().catch(() => null) : null;
  const newestOfAll = source?.newestReadingAt ?? null;
  const isSourceStale = newestOfAll !== null && secondsBetween(newestOfAll, slot) > staleSeconds;
  const accuracy = await accuracyOf(views, watched, [...oldForecasts, ...forecasts], slot);
  const outcomeOf = new Map([...oldOutcomes, ...outcomes].map((one) => [one.sensorId, one]));
  const served = Map.groupBy(
    [...oldForecasts, ...forecasts].filter((one) => one.isServed),
    (one) => one.sensorId,
  );
  return new Map(
    sensorIds.map((sensorId) => [
      sensorId,
      {
        slot,
        outcome: outcomeOf.get(sensorId) ?? null,
        forecasts: served.get(sensorId) ?? [],
        profile: book.profiles.get(sensorId) ?? null,
        newestReadingAt: newest.get(sensorId),
        isSourceStale,
        accuracy: accuracy.get(sensorId),
      },
    ]),
  );
}

/** How the models that serve did over the last week, where a rule asks; ONE statement. */
async function accuracyOf(
  views: AlertPorts["views"],
  watched: Map<string, Rule[]>,
  forecasts: Forecast[],
  slot: Date,
): Promise<Map<string, NonNullable<Facts["accuracy"]>>> {
  const isAsked = (sensorId: string) =>
    watched.get(sensorId)?.some(({ condition }) => condition.kind === "accuracy") ?? false;
  const keys = forecasts.filter((one) => one.isServed && isAsked(one.sensorId));
  const found = new Map<string, NonNullable<Facts["accuracy"]>>();
  if (keys.length === 0) return found;
  for (const sums of await views.scoreSums(keys, addSeconds(slot, -weekSeconds), null)) {
    const { sensorId, target, n, covered, absoluteError, persistenceError } = sums;
    const skill = persistenceError > 0 ? 1 - absoluteError / persistenceError : null;
    const of = found.get(sensorId) ?? [];
    found.set(sensorId, [...of, { target, coverage: n === 0 ? null : covered / n, skill }]);
  }
  return found;
}

/**
 * Blinds what nobody has looked at for two cycles: a cycle that is missing must not read ok. Of silence nobody needs to
 * be reminded: a sensor that is silent is silent still.
 */
export async function alertSweep(ports: AlertPorts, settings: AlertSettings, slot: Date): Promise<void> {
  const before = addSeconds(slot, -freshCycles * settings.cycleSeconds);
  const sensorIds = await ports.alerts.unseen(before, mostSwept);
  if (sensorIds.length === 0) return;
  const book = await ports.alerts.book();
  const watched = watchedBy(book, sensorIds, true);
  for (const [sensorId, rules] of watched) {
    const those = rules.filter(({ condition }) => condition.kind !== "silent");
    if (those.length > 0) watched.set(sensorId, those);
    else watched.delete(sensorId);
  }
  const standings = await ports.alerts.standings([...watched.keys()]);
  const factsOf = (sensorId: string): Facts => ({
    slot: before,
    outcome: missedCycle(sensorId, before),
    forecasts: [],
    profile: book.profiles.get(sensorId) ?? null,
  });
  // As of a slot that is past: whoever decides the newest one has the last word.
  const past = addSeconds(slot, -settings.cycleSeconds);
  await look(ports, settings, { slot: past, sensorIds: [...watched.keys()], watched, standings, factsOf });
}

const mostSwept = 10_000;

function missedCycle(sensorId: string, slot: Date): Outcome {
  const counts = { have: null, need: null, held: 0 };
  return { sensorId, slot, status: "expired", reason: "expired", reasonText: null, ...counts, decidedAt: slot };
}

/** What the watch saw of the system; null where nobody can tell. */
export type SystemFacts = {
  sourceAgeSeconds: number | null;
  databaseBytes: number | null;
  backupAgeSeconds: number | null;
};

/** Looks with the rules on the system itself; `at` is the time of the watch. */
export async function alertSystem(
  ports: AlertPorts,
  settings: AlertSettings,
  at: Date,
  system: SystemFacts,
): Promise<void> {
  const { rules } = await ports.alerts.book();
  const these = rules.filter(({ condition }) => systemKinds.has(condition.kind));
  if (these.length === 0) return;
  const facts: Facts = { slot: at, outcome: null, forecasts: [], profile: null, system };
  const standings = await ports.alerts.standings([noSensor]);
  const watched = new Map([[noSensor, these]]);
  await look(ports, settings, { slot: at, sensorIds: [noSensor], watched, standings, factsOf: () => facts });
}

function pairKey(ruleId: string, sensorId: string): string {
  return `${ruleId} ${sensorId}`;
}
