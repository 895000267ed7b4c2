import { RuleBody } from "../../../core/alert/rule.ts";
import type { RuleStore } from "../../../core/alert/store.ts";
import type { Clock } from "../../../core/ports.ts";

const hourSeconds = 3_600;

/** Three rules to look at; a room of the demo grows warm on the morning with which it begins. */
const bodies: Record<string, object> = {
  "demo-warm": {
    name: "A room gets too warm",
    condition: { kind: "forecast", target: "temperature", high: 24, chance: 0.35, withinSeconds: 3 * hourSeconds },
    clearMargin: 0.3,
    clearChance: 0.2,
  },
  "demo-damp": {
    name: "The air gets too damp",
    condition: { kind: "forecast", target: "humidity", high: 60, chance: 0.5, withinSeconds: 6 * hourSeconds },
    clearMargin: 2,
    severity: "info",
  },
  "demo-silent": {
    name: "A sensor is silent",
    condition: { kind: "silent", forSeconds: hourSeconds },
    severity: "critical",
  },
};

/** Gives the demo its rules, unless somebody has made some. */
export async function seedRules(rules: Pick<RuleStore, "count" | "save">, clock: Pick<Clock, "now">): Promise<void> {
  if ((await rules.count()) > 0) return;
  const now = clock.now();
  for (const [ruleId, given] of Object.entries(bodies)) {
    const body = RuleBody.parse({ selector: { all: true }, ...given });
    await rules.save({ ...body, ruleId, createdAt: now, createdBy: "demo", since: now });
  }
}
