import type { Profile } from "../forecast/profile.ts";
import type { Evidence } from "./judge.ts";
import type { Rule } from "./rule.ts";
import type { Standing } from "./state.ts";

/** The rules that are on, and the profiles of all sensors that have one. The same object until one of them changes. */
export type RuleBook = { rules: Rule[]; profiles: Map<string, Profile> };

export type StoredStanding = Standing & { ruleId: string; sensorId: string; evidence: Evidence };

/** What a pass came to for a rule and a sensor; a standing of null is ok. */
export type StandingChange = {
  rule: Rule;
  sensorId: string;
  standing: Standing | null;
  evidence: Evidence;
  /** Set where it fired by this, or was firing and cleared. */
  fired?: { text: string };
  cleared?: true;
  /** It sees again: that it was blind need not be told any more. */
  saw?: true;
};

export type NoticeKind = "fired" | "repeated" | "cleared" | "blinded" | "test";

/** What is told to people and programs; one of them has one key, however often it arrives. */
export type Notice = {
  idempotencyKey: string;
  kind: NoticeKind;
  /** The slot that it speaks of. */
  at: string;
  severity: Rule["severity"];
  rule: { ruleId: string; name: string };
  sensor: { sensorId: string; name: string | null; group: string | null; place: string | null } | null;
  text: string;
  evidence: Evidence;
};

export type NewNotice = { channelId: string; ruleId: string; sensorId: string; notice: Notice; dueAt: Date };

/** One look at some sensors in a slot. */
export type AlertPass = {
  slot: Date;
  sensorIds: string[];
  now: Date;
  changes: StandingChange[];
  notices: NewNotice[];
  /** When notices are written down, by the wall's clock. */
  writtenAt: Date;
};

/** Rules at work. */
export type Alerts = {
  book(): Promise<RuleBook>;
  /** All that is not ok, of these sensors. */
  standings(sensorIds: string[]): Promise<StoredStanding[]>;
  /**
   * Standings, firings and notices in ONE transaction, of those sensors that nobody has looked at in this slot or a
   * later one: doing it again, or too late, changes nothing. Gives the sensors that counted.
   */
  record(pass: AlertPass): Promise<string[]>;
  /** Sensors with a rule's eyes on them whose newest look is of before `slot`; at most `limit`. */
  unseen(before: Date, limit: number): Promise<string[]>;
  /** When the rules looked at each of these last, and in which slot; without those never looked at. */
  seen(sensorIds: string[]): Promise<Map<string, { slot: Date; evaluatedAt: Date }>>;
};
