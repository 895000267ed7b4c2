import type { RuleBook } from "./ports.ts";
import { type Rule, selects, systemKinds } from "./rule.ts";

/**
 * The rules that look at each of these sensors; without those that no rule looks at. Accuracy is of a week: it is
 * looked at by the hour.
 */
export function watchedBy(
  { rules, profiles }: RuleBook,
  sensorIds: string[],
  withAccuracy: boolean,
): Map<string, Rule[]> {
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
