import type { Rule } from "../api/alerts.ts";
import { Scrolling } from "../shell/scrolling.tsx";
import { ruleHref } from "./hrefs.ts";
import { conditionText, countsText, selectorText } from "./rule-words.ts";
import { StateWord } from "./state-word.tsx";

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
              <a href={ruleHref(rule.ruleId)} data-route>
                {rule.name}
              </a>{" "}
              <span class="muted">{rule.severity}</span>
            </th>
            <td>{selectorText(rule)}</td>
            <td class="wrap">{conditionText(rule.condition)}</td>
            <td>
              {rule.isEnabled ? (
                <>
                  <StateWord state={rule.state} />
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
