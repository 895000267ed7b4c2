import type { Rule, RuleDraft } from "../api/alerts.ts";
import type { Prefill } from "./prefill.ts";

/** A rule as its form holds it: texts, empty where nothing is said. Pure. */
export type Draft = {
  name: string;
  isEnabled: boolean;
  severity: Rule["severity"];
  watches: "all" | "group" | "sensors";
  group: string;
  /** One id a line. */
  sensorIds: string;
  kind: Kind;
  target: string;
  low: string;
  high: string;
  /** In percent. */
  chance: string;
  withinHours: string;
  perHour: string;
  forMinutes: string;
  coverageBelow: string;
  skillBelow: string;
  aboveMegabytes: string;
  pendingCycles: string;
  clearMargin: string;
  clearChance: string;
  repeatHours: string;
  mutedUntil: string | null;
  muteWindows: Rule["muteWindows"];
  channelIds: string[];
};
export type Kind = Rule["condition"]["kind"];
type Condition = RuleDraft["condition"];

export const emptyDraft: Draft = {
  ...{ name: "", isEnabled: true, severity: "warning", watches: "all", group: "", sensorIds: "" },
  ...{ kind: "forecast", target: "", low: "", high: "", chance: "35", withinHours: "3", perHour: "", forMinutes: "30" },
  ...{ coverageBelow: "", skillBelow: "", aboveMegabytes: "", pendingCycles: "0", clearMargin: "0", clearChance: "" },
  ...{ repeatHours: "", mutedUntil: null, muteWindows: [], channelIds: [] },
};

/** Where a rule begins that was asked for at a chart. */
export function prefilled({ sensorId, target, side, limit }: Prefill, name: string): Draft {
  const watches = sensorId === null ? {} : ({ watches: "sensors", sensorIds: sensorId } as const);
  return { ...emptyDraft, ...watches, name, target: target ?? "", [side === "above" ? "high" : "low"]: limit };
}

export function draftOf(rule: Rule): Draft {
  const { selector, condition, name, isEnabled, severity, mutedUntil, muteWindows, channelIds } = rule;
  return {
    ...emptyDraft,
    ...{ name, isEnabled, severity, mutedUntil, muteWindows, channelIds },
    watches: "all" in selector ? "all" : "group" in selector ? "group" : "sensors",
    group: "group" in selector ? selector.group : "",
    sensorIds: "sensorIds" in selector ? selector.sensorIds.join("\n") : "",
    ...conditionTexts(condition),
    pendingCycles: String(rule.pendingCycles),
    clearMargin: String(rule.clearMargin),
    clearChance: percent(rule.clearChance),
    repeatHours: rule.repeatSeconds === null ? "" : tidy(rule.repeatSeconds / 3_600),
  };
}

function conditionTexts(condition: Rule["condition"]): Partial<Draft> {
  const { kind } = condition;
  const text = (value: number | null) => (value === null ? "" : tidy(value));
  switch (condition.kind) {
    case "forecast":
    case "observed": {
      const { target, low, high } = condition;
      const sides = { kind, target, low: text(low), high: text(high) };
      return condition.kind === "observed" ? sides : { ...sides, ...aheadTexts(condition) };
    }
    case "forecastChange":
      return { kind, target: condition.target, perHour: tidy(condition.perHour), ...aheadTexts(condition) };
    case "accuracy": {
      const { target, coverageBelow, skillBelow } = condition;
      return { kind, target, coverageBelow: percent(coverageBelow), skillBelow: percent(skillBelow) };
    }
    case "databaseSize":
      return { kind, aboveMegabytes: tidy(condition.aboveBytes / 1e6) };
    default:
      return { kind, forMinutes: tidy(condition.forSeconds / 60) };
  }
}

function aheadTexts({ chance, withinSeconds }: { chance: number; withinSeconds: number }) {
  return { chance: percent(chance), withinHours: tidy(withinSeconds / 3_600) };
}

const percent = (share: number | null) => (share === null ? "" : tidy(100 * share));
/** Without the tail that a division leaves. */
const tidy = (value: number) => String(Number(value.toPrecision(10)));

export type Made = { ok: true; rule: RuleDraft } | { ok: false; problem: string };

/** The rule that the form says, or what is wrong with it in words; the API has the last one. */
export function ruleOf(draft: Draft): Made {
  try {
    return { ok: true, rule: build(draft) };
  } catch (error) {
    if (error instanceof Problem) return { ok: false, problem: error.message };
    throw error;
  }
}

class Problem extends Error {}

function build(draft: Draft): RuleDraft {
  const name = draft.name.trim();
  if (name === "") throw new Problem("Name: give the rule one");
  const repeat = optional(draft.repeatHours, "Tell again, hours");
  const clearChance = optional(draft.clearChance, "Over below a chance");
  return {
    ...{ name, isEnabled: draft.isEnabled, severity: draft.severity },
    selector: selectorOf(draft),
    condition: conditionOf(draft),
    pendingCycles: figure(draft.pendingCycles, "Cycles in a row before"),
    clearMargin: figure(draft.clearMargin, "Over once inside by"),
    clearChance: clearChance === null ? null : share(clearChance),
    repeatSeconds: repeat === null ? null : Math.round(3_600 * repeat),
    ...{ muteWindows: draft.muteWindows, mutedUntil: draft.mutedUntil, channelIds: draft.channelIds },
  };
}

function selectorOf({ kind, watches, group, sensorIds }: Draft): RuleDraft["selector"] {
  if (isOfSystem(kind) || watches === "all") return { all: true };
  if (watches === "group") {
    if (group.trim() === "") throw new Problem("Group: give a path such as site/building");
    return { group: group.trim() };
  }
  const ids = sensorIds.split("\n").filter((id) => id.trim() !== "");
  if (ids.length === 0) throw new Problem("Sensors: give at least one id");
  return { sensorIds: ids };
}

function conditionOf(draft: Draft): Condition {
  const { kind, target } = draft;
  const ahead = () => ({
    chance: share(figure(draft.chance, "Chance")),
    withinSeconds: Math.round(3_600 * figure(draft.withinHours, "Within, hours")),
  });
  const limits = () => {
    const [low, high] = [optional(draft.low, "Below"), optional(draft.high, "Above")];
    if (low !== null && high !== null && low >= high) {
      throw new Problem(`Below (${low}) must be less than above (${high})`);
    }
    return { low, high };
  };
  switch (kind) {
    case "forecast":
      return { kind, target, ...limits(), ...ahead() };
    case "forecastChange":
      return { kind, target, perHour: figure(draft.perHour, "Change an hour"), ...ahead() };
    case "observed":
      return { kind, target, ...limits() };
    case "accuracy": {
      const [coverage, skill] = [
        optional(draft.coverageBelow, "Coverage below"),
        optional(draft.skillBelow, "Skill below"),
      ];
      if (coverage === null && skill === null) throw new Problem("Give coverage or skill, or both");
      return {
        ...{ kind, target },
        coverageBelow: coverage === null ? null : share(coverage),
        skillBelow: skill === null ? null : share(skill),
      };
    }
    case "databaseSize":
      return { kind, aboveBytes: 1e6 * figure(draft.aboveMegabytes, "Larger than") };
    default:
      return { kind, forSeconds: Math.round(60 * figure(draft.forMinutes, "For, minutes")) };
  }
}

function figure(text: string, name: string): number {
  const value = optional(text, name);
  if (value === null) throw new Problem(`${name}: give a number`);
  return value;
}

function optional(text: string, name: string): number | null {
  if (text.trim() === "") return null;
  const value = Number(text.trim().replace(",", "."));
  if (!Number.isFinite(value)) throw new Problem(`${name}: “${text}” is no number`);
  return value;
}

const share = (inPercent: number) => Number((inPercent / 100).toPrecision(12));

const systemKinds: readonly Kind[] = ["sourceAge", "databaseSize", "backupAge"];

/** Whether it looks at the system and not at sensors. */
export function isOfSystem(kind: Kind): boolean {
  return systemKinds.includes(kind);
}

/** What can be held against what came. */
export function isRehearsable(kind: Kind): boolean {
  return kind === "forecast" || kind === "observed";
}
