import { useState } from "preact/hooks";
import { type Alert, acknowledge } from "../api/alerts.ts";
import { formatTime } from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { sensorHref } from "../shell/route.ts";
import { Scrolling } from "../shell/scrolling.tsx";
import { Notice } from "../shell/states.tsx";
import { FiringChart } from "./firing-chart.tsx";
import { ruleHref } from "./hrefs.ts";

/** What fires, with a field to say that somebody has seen it. */
export function Firing({ alerts, onChange }: { alerts: Alert[]; onChange: () => void }) {
  return (
    <Scrolling label="Firing now">
      <Head last="Seen" />
      <tbody>
        {alerts.map((alert) => (
          <Row key={alert.alertId} alert={alert}>
            {alert.acknowledgedAt === null ? (
              <Acknowledge alert={alert} onDone={onChange} />
            ) : (
              <span>
                by {alert.acknowledgedBy}
                {alert.note !== null && `: ${alert.note}`}
              </span>
            )}
          </Row>
        ))}
      </tbody>
    </Scrolling>
  );
}

/** What fired and is over, newest first. */
export function History({ alerts }: { alerts: Alert[] }) {
  const { zone } = usePreferences();
  if (alerts.length === 0) return <p class="muted">Nothing has fired and ended yet.</p>;
  return (
    <Scrolling label="History">
      <Head last="Until" />
      <tbody>
        {alerts.map((alert) => (
          <Row key={alert.alertId} alert={alert}>
            {alert.clearedAt !== null && (
              <time dateTime={alert.clearedAt}>{formatTime(Date.parse(alert.clearedAt), zone, "full")}</time>
            )}
          </Row>
        ))}
      </tbody>
    </Scrolling>
  );
}

function Head({ last }: { last: string }) {
  return (
    <thead>
      <tr>
        <th scope="col">Rule</th>
        <th scope="col">Sensor</th>
        <th scope="col">What</th>
        <th scope="col">Since</th>
        <th scope="col">{last}</th>
      </tr>
    </thead>
  );
}

function Row({ alert, children }: { alert: Alert; children: preact.ComponentChildren }) {
  const { zone } = usePreferences();
  return (
    <tr>
      <th scope="row">
        <a href={ruleHref(alert.ruleId)} data-route>
          {alert.ruleName}
        </a>{" "}
        <span class="muted">{alert.severity}</span>
      </th>
      <td>
        {alert.sensorId === null ? (
          "the system"
        ) : (
          <a href={sensorHref(alert.sensorId)} data-route>
            {alert.sensorId}
          </a>
        )}
      </td>
      <td class="wrap">
        {alert.text}
        <FiringChart alert={alert} />
      </td>
      <td>
        <time dateTime={alert.firedAt}>{formatTime(Date.parse(alert.firedAt), zone, "full")}</time>
      </td>
      <td>{children}</td>
    </tr>
  );
}

function Acknowledge({ alert, onDone }: { alert: Alert; onDone: () => void }) {
  const [note, setNote] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const act = async () => {
    const answer = await acknowledge(alert.alertId, note);
    if (answer.ok) onDone();
    else setProblem(`${answer.failure.title}: ${answer.failure.detail}`);
  };
  const label = `Note on ${alert.ruleName}, ${alert.sensorId ?? "the system"}`;
  return (
    <form
      class="acknowledge"
      onSubmit={(event) => {
        event.preventDefault();
        void act();
      }}
    >
      <input
        aria-label={label}
        placeholder="Note"
        maxLength={1000}
        value={note}
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      <button type="submit" class="button">
        Acknowledge
      </button>
      {problem !== null && (
        <div role="alert">
          <Notice tone="bad">{problem}</Notice>
        </div>
      )}
    </form>
  );
}
