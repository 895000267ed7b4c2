import type { Rule } from "../api/alerts.ts";
import { Icon, type IconName } from "../shell/icons.tsx";

const icons: Record<Rule["state"], IconName> = {
  ok: "ok",
  pending: "waiting",
  firing: "stale",
  blind: "refused",
  muted: "pause",
};

/** A rule's state: a word with its sign, never colour alone. */
export function StateWord({ state }: { state: Rule["state"] }) {
  return (
    <span class={`alert-state alert-${state}`}>
      <Icon name={icons[state]} />
      {state}
    </span>
  );
}
