import type { Rule } from "../api/alerts.ts";
import { formatDuration, formatNumber, formatPercent } from "../format.ts";
import { Scrolling } from "../shell/scrolling.tsx";

const order = ["firing", "blind", "pending", "muted", "ok"] as const;
const mostNamed = 5;

/** Each rule with what it waits for, and in words how it stands. */
export function RuleList({ rules }: { rules: Rule[] }) {
  return (
    <Scrolling label="Rules">
      <thead>
        <tr>
          <th scope="col">Rule</th>
          <th scope="col">Watches</th>
          <th scope="col">Fires</th>
          <th scope="col">State</th>
          <th scope="col">Not ok</th>
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => (
          <tr key={rule.ruleId}>
            <th scope="row">
              {rule.name} <span class="muted">{rule.severity}</span>
            </th>
            <td>{selectorText(rule)}</td>
            <td class="wrap">{conditionText(rule.condition)}</td>
            <td>
              {rule.isEnabled ? (
                <>
                  <b>{rule.state}</b>
                  <span class="muted"> {countsText(rule)}</span>
                </>
              ) : (
                "off"
              )}
            </td>
            <td class="wrap">
              {rule.standings.slice(0, mostNamed).map(({ sensorId, state, text }) => (
                <div key={sensorId}>
                  {sensorId === "" ? "the system" : sensorId} <span class="muted">{state}</span>: {text}
                </div>
              ))}
              {rule.standings.length > mostNamed && (
                <div class="muted">and {rule.standings.length - mostNamed} more</div>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </Scrolling>
  );
}

function countsText({ states }: Rule): string {
  return order.flatMap((state) => (states[state] > 0 ? `${states[state]} ${state}` : [])).join(", ");
}

function selectorText({ selector }: Rule): string {
  if ("all" in selector) return "all";
  return "group" in selector ? `group ${selector.group}` : selector.sensorIds.slice(0, 3).join(", ");
}

function conditionText(condition: Rule["condition"]): string {
  switch (condition.kind) {
    case "forecast": {
      const chance = `${formatPercent(condition.chance)} within ${formatDuration(condition.withinSeconds)}`;
      return `${condition.target} ${limitsText(condition)}, chance ${chance}`;
    }
    case "forecastChange":
      return `${condition.target} by ${formatNumber(condition.perHour, 1)} an hour, chance ${formatPercent(condition.chance)}`;
    case "observed":
      return `${condition.target} is ${limitsText(condition)}`;
    case "silent":
      return `no reading for ${formatDuration(condition.forSeconds)}`;
    case "unforecast":
      return `no forecast by its model for ${formatDuration(condition.forSeconds)}`;
    case "accuracy":
      return `${condition.target}: coverage or skill falls`;
    case "sourceAge":
      return `newest reading older than ${formatDuration(condition.forSeconds)}`;
    case "databaseSize":
      return `database above ${formatNumber(condition.aboveBytes / 1e6, 0)} MB`;
    case "backupAge":
      return `last backup older than ${formatDuration(condition.forSeconds)}`;
  }
}

function limitsText({ low, high }: { low?: number | null | undefined; high?: number | null | undefined }): string {
  if (low == null && high == null) return "beyond the sensor's limits";
  if (low == null) return `above ${high}`;
  return high == null ? `below ${low}` : `outside ${low} to ${high}`;
}
