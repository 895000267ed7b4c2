import type { Rule } from "../api/alerts.ts";
import { formatTime } from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { sensorHref } from "../shell/route.ts";
import { countsText } from "./rule-words.ts";
import { StateWord } from "./state-word.tsx";

/** How a rule stands now, and with whom it is not ok. */
export function RuleStandings({ rule }: { rule: Rule }) {
  const { zone } = usePreferences();
  if (!rule.isEnabled) return <p class="muted">It is off: it watches nothing and tells nobody.</p>;
  return (
    <section class="panel" aria-label="How it stands">
      <p>
        <StateWord state={rule.state} /> <span class="muted">{countsText(rule)}</span>
      </p>
      <ul class="watching">
        {rule.standings.map(({ sensorId, state, since, text }) => (
          <li key={sensorId}>
            <StateWord state={state} />
            {sensorId === "" ? (
              "the system"
            ) : (
              <a href={sensorHref(sensorId)} data-route>
                {sensorId}
              </a>
            )}
            <span class="muted">
              {text}, since {formatTime(Date.parse(since), zone, "dayClock")}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
