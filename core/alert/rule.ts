import * as z from "zod";
import type { Limits } from "../forecast/profile.ts";
import { isInGroup, type Profile } from "../forecast/profile.ts";

const seconds = (least: number, most: number) => z.int().min(least).max(most);
const name = z.string().min(1).max(63);
const limit = z.number().nullable().default(null);
const day = 86_400;

/** Which sensors a rule watches. */
export const Selector = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ group: z.string().min(1).max(200) }),
  z.strictObject({ sensorIds: z.array(z.string().min(1).max(256)).min(1).max(1_000) }),
]);
export type Selector = z.infer<typeof Selector>;

const chance = z.number().min(0.01).max(0.99);
const withinSeconds = seconds(1, 7 * day);

/**
 * What a rule waits for. Where both limits are null the sensor's own count (its profile's), and a sensor without any is
 * not watched. `perHour` is signed: 2 is a rise faster than 2 units an hour, -2 a fall.
 */
export const Condition = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("forecast"), target: name, low: limit, high: limit, chance, withinSeconds }),
    z.strictObject({ kind: z.literal("forecastChange"), target: name, perHour: z.number(), chance, withinSeconds }),
    z.strictObject({ kind: z.literal("observed"), target: name, low: limit, high: limit }),
    z.strictObject({ kind: z.literal("silent"), forSeconds: seconds(1, 7 * day) }),
    z.strictObject({ kind: z.literal("unforecast"), forSeconds: seconds(0, 7 * day) }),
    z.strictObject({
      kind: z.literal("accuracy"),
      target: name,
      coverageBelow: z.number().min(0).max(1).nullable().default(null),
      skillBelow: z.number().min(-10).max(1).nullable().default(null),
    }),
    z.strictObject({ kind: z.literal("sourceAge"), forSeconds: seconds(1, 30 * day) }),
    z.strictObject({ kind: z.literal("databaseSize"), aboveBytes: z.number().positive().max(1e15) }),
    z.strictObject({ kind: z.literal("backupAge"), forSeconds: seconds(1, 365 * day) }),
  ])
  .refine((given) => !("low" in given) || given.low === null || given.high === null || given.low < given.high, {
    error: "low must be below high",
  })
  .refine((given) => given.kind !== "forecastChange" || given.perHour !== 0, { error: "perHour must not be 0" })
  .refine((given) => given.kind !== "accuracy" || given.coverageBelow !== null || given.skillBelow !== null, {
    error: "give coverageBelow or skillBelow",
  });
export type Condition = z.infer<typeof Condition>;

/** Hours of the week, in a zone, in which nobody is told; `to` before `from` ends on the next day. */
export const MuteWindow = z.strictObject({
  /** 1 is Monday, 7 Sunday: the days on which it begins. */
  days: z.array(z.int().min(1).max(7)).min(1).max(7),
  from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time such as 22:00"),
  to: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time such as 06:00"),
  timeZone: z.string().max(64).refine(isTimeZone, "is no time zone; write one such as Europe/Berlin"),
});
export type MuteWindow = z.infer<typeof MuteWindow>;

export const severities = ["info", "warning", "critical"] as const;

/** All of a rule that a person decides. */
export const RuleBody = z.strictObject({
  name: z.string().trim().min(1).max(100),
  isEnabled: z.boolean().default(true),
  severity: z.enum(severities).default("warning"),
  selector: Selector,
  condition: Condition,
  /** Cycles in a row that must say so before the one that makes it fire. */
  pendingCycles: z.int().min(0).max(1_000).default(0),
  /** How far inside the limit a value must be again, in the target's unit; */
  clearMargin: z.number().min(0).default(0),
  /** and below which chance, before it is over. Null: the chance that makes it fire. */
  clearChance: chance.nullable().default(null),
  /** Told again after so long while it lasts; null: once. */
  repeatSeconds: seconds(60, 30 * day)
    .nullable()
    .default(null),
  muteWindows: z.array(MuteWindow).max(20).default([]),
  mutedUntil: z.iso.datetime({ offset: true }).nullable().default(null),
  channelIds: z.array(z.string().min(1).max(64)).max(20).default([]),
});
export type RuleBody = z.infer<typeof RuleBody>;

/** A stored rule; a change of what it watches or waits for moves `since`, and its states begin anew. */
export type Rule = RuleBody & { ruleId: string; createdAt: Date; createdBy: string; since: Date };

/** The kinds that look at the system and not at a sensor. */
export const systemKinds: ReadonlySet<Condition["kind"]> = new Set(["sourceAge", "databaseSize", "backupAge"]);

/** Stands for the sensor where a rule looks at the system. */
export const noSensor = "";

/** True where the rule watches this sensor. */
export function selects({ selector }: Pick<RuleBody, "selector">, sensorId: string, profile: Profile | null): boolean {
  if ("all" in selector) return true;
  if ("group" in selector) return isInGroup(profile?.group ?? null, selector.group);
  return selector.sensorIds.includes(sensorId);
}

/** The limits that count for a sensor; null where there are none, and so nothing to watch. */
export function limitsOf(
  condition: { low: number | null; high: number | null; target: string },
  profile: Profile | null,
) {
  const { low, high, target } = condition;
  const limits: Limits = low === null && high === null ? (profile?.limits[target] ?? { low, high }) : { low, high };
  return limits.low === null && limits.high === null ? null : limits;
}

/** True where nobody is to be told at that moment. */
export function isMuted({ muteWindows, mutedUntil }: Pick<RuleBody, "muteWindows" | "mutedUntil">, at: Date): boolean {
  return (mutedUntil !== null && at < new Date(mutedUntil)) || muteWindows.some((window) => isWithin(window, at));
}

function isWithin({ days, from, to, timeZone }: MuteWindow, at: Date): boolean {
  const { weekday, time } = localTime(at, timeZone);
  const yesterday = weekday === 1 ? 7 : weekday - 1;
  if (from < to) return days.includes(weekday) && from <= time && time < to;
  return (days.includes(weekday) && time >= from) || (days.includes(yesterday) && time < to);
}

const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

function localTime(at: Date, timeZone: string): { weekday: number; time: string } {
  const parts = formatter(timeZone).formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  return { weekday: weekdays.indexOf(part("weekday")) + 1, time: `${part("hour")}:${part("minute")}` };
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Made once a zone: making one takes longer than a rule. */
function formatter(timeZone: string): Intl.DateTimeFormat {
  const options = { timeZone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  const known = formatters.get(timeZone) ?? new Intl.DateTimeFormat("en-GB", options);
  formatters.set(timeZone, known);
  return known;
}

function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: text });
    return true;
  } catch {
    return false;
  }
}
