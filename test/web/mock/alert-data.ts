import type { z } from "zod";
import type { AlertPage, RehearsalResponse, RulePage } from "../../../functions/api/contract/alerts.ts";
import { iso } from "./fleet-data.ts";

type State = { now: number; isAcknowledged: boolean };
const hour = 3_600_000;

/** One alert that fires, and one that is over. */
export function alertsOf({ now, isAcknowledged }: State): z.input<typeof AlertPage> {
  const evidence = { target: "temperature", unit: "°C", value: 24.1, low: null, high: 26, chance: 0.35 };
  const head = { ruleId: "warm", ruleName: "A room gets too warm", severity: "warning" } as const;
  const seen = { acknowledgedAt: iso(now), acknowledgedBy: "anonymous", note: "window opened" };
  const unseen = { acknowledgedAt: null, acknowledgedBy: null, note: null };
  const text = "temperature above 26 °C from about 19:10 UTC, 35 %";
  const when = { crossesAt: iso(now + hour), origin: iso(now - hour) };
  const firing = {
    ...head,
    evidence: { ...evidence, ...when },
    alertId: 1,
    sensorId: "room3",
    firedAt: iso(now - hour),
    clearedAt: null,
    text,
  };
  const over = {
    ...head,
    evidence: {},
    alertId: 0,
    sensorId: null,
    firedAt: iso(now - 9 * hour),
    clearedAt: iso(now - 8 * hour),
  };
  const items = [
    { ...firing, ...(isAcknowledged ? seen : unseen) },
    { ...over, ...unseen, text: "the newest reading of all is 31 min old" },
  ];
  return { items, nextCursor: null };
}

export function rulesOf({ now }: State): z.input<typeof RulePage> {
  const standing = (sensorId: string, state: "firing" | "blind", text: string) => ({
    ...{ sensorId, state, text },
    since: iso(now - hour),
    evidence: {},
  });
  const rule = {
    name: "A room gets too warm",
    selector: { all: true as const },
    condition: { kind: "forecast" as const, target: "temperature", high: 26, chance: 0.35, withinSeconds: 10_800 },
    ...{ ruleId: "warm", createdBy: "demo", createdAt: iso(now), since: iso(now) },
    state: "firing" as const,
    states: { ok: 7, pending: 0, firing: 1, blind: 1, muted: 0 },
    standings: [
      standing("room3", "firing", "temperature above 26 °C from about 19:10 UTC, 35 %"),
      standing("room9", "blind", "cannot see: the source is stale"),
    ],
  };
  return { items: [rule], nextCursor: null };
}

export function rehearsalOf({ now }: State): z.input<typeof RehearsalResponse> {
  const counts = { fired: 5, true: 4, false: 1, missed: 2, warningSeconds: { median: 5_400, least: 600 } };
  const calm = { fired: 2, true: 2, false: 0, missed: 4, warningSeconds: { median: 1_200, least: 600 } };
  const range = {
    from: iso(now - 168 * hour),
    to: iso(now),
    sensorIds: ["room1", "room3"],
    selected: 2,
    leftOutSlots: 0,
    ...{ over: "ledger" as const, overText: "the forecasts as they were issued" },
  };
  const tradeOff = [
    { chance: 0.35, shift: 0, ...counts },
    { chance: 0.65, shift: 0, ...calm },
    { chance: 0.35, shift: 0.4, ...calm },
    { chance: 0.65, shift: 0.4, ...calm, missed: 5 },
  ];
  const origin = now - 5 * hour;
  const ahead = (level: number) => [1, 2, 3].map((i) => level + i);
  const event = {
    ...{ sensorId: "room3", limits: { low: null, high: 26 }, result: "true" as const, warningSeconds: 5_400 },
    ...{
      firedAt: iso(origin),
      clearedAt: iso(origin + 3 * hour),
      from: iso(origin + 1.5 * hour),
      to: iso(now - 2 * hour),
    },
    forecast: {
      origin: iso(origin),
      targetAt: [1, 2, 3].map((i) => iso(origin + i * hour)),
      ...{ q10: ahead(21), q50: ahead(24), q90: ahead(26) },
    },
  };
  const missed = { ...event, result: "missed" as const, firedAt: null, clearedAt: null, forecast: null };
  const events = [event, { ...missed, warningSeconds: null }];
  return { ...range, ...counts, open: 0, blindSlots: 3, slots: 2_016, events, tradeOff };
}
