import { ruleHref } from "../alerts/hrefs.ts";
import { StateWord } from "../alerts/state-word.tsx";
import { getRulesOf, type Rule } from "../api/alerts.ts";
import { formatTime } from "../format.ts";
import { useLive } from "../shell/live.ts";
import { usePreferences } from "../shell/preferences.ts";
import { Failed, Skeleton } from "../shell/states.tsx";

/** The rules that watch this sensor, and how each stands with it. */
export function WatchingRules({ sensorId }: { sensorId: string }) {
  const rules = useLive(`rules of ${sensorId}`, (signal) => getRulesOf(sensorId, signal));
  return (
    <section class="section" aria-labelledby="rules">
      <h2 id="rules">Alert rules</h2>
      {rules.data === null ? (
        rules.failure === null ? (
          <Skeleton height={80} label="Loading the rules" />
        ) : (
          <Failed failure={rules.failure} onRetry={rules.retry} />
        )
      ) : rules.data.items.length === 0 ? (
        <p class="muted">No rule watches this sensor. “Alert on this…” at a chart makes one.</p>
      ) : (
        <ul class="panel watching">
          {rules.data.items.map((rule) => (
            <WatchingRule key={rule.ruleId} rule={rule} />
          ))}
        </ul>
      )}
    </section>
  );
}

function WatchingRule({ rule }: { rule: Rule }) {
  const { zone } = usePreferences();
  const standing = rule.standings[0];
  return (
    <li>
      <StateWord state={rule.state} />
      <a href={ruleHref(rule.ruleId)} data-route>
        {rule.name}
      </a>
      {standing !== undefined && (
        <span class="muted">
          {standing.text}, since {formatTime(Date.parse(standing.since), zone, "dayClock")}
        </span>
      )}
    </li>
  );
}
