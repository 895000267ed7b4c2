import { useState } from "preact/hooks";
import { useAccess } from "../access/session.ts";
import { type Share as Link, shareChart } from "../api/share.ts";
import { formatTime, titleOf } from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { Notice } from "../shell/states.tsx";

const daySeconds = 86_400;
const lifetimes = [
  { seconds: daySeconds, label: "a day" },
  { seconds: 7 * daySeconds, label: "a week" },
  { seconds: 30 * daySeconds, label: "30 days" },
  { seconds: 365 * daySeconds, label: "a year" },
];

/** Makes a link that shows one chart of the sensor; nothing for who may not. */
export function Share({ sensorId, targets }: { sensorId: string; targets: string[] }) {
  const { session } = useAccess();
  const { zone } = usePreferences();
  const [target, setTarget] = useState(targets[0] ?? "");
  const [seconds, setSeconds] = useState(7 * daySeconds);
  const [link, setLink] = useState<Link | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  if (!session?.actor.scopes.includes("admin") || targets.length === 0) return null;

  const make = async () => {
    const answer = await shareChart(sensorId, target, seconds);
    setLink(answer.ok ? answer.data : null);
    setProblem(answer.ok ? null : `${answer.failure.title}: ${answer.failure.detail}`);
  };
  const address = link === null ? "" : location.origin + link.path;
  return (
    <details class="share">
      <summary class="button">Share</summary>
      <form
        class="panel form"
        aria-label="Share a chart"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <p class="muted">Whoever has the link sees this one chart, as it is then, and nothing else.</p>
        <label class="field">
          <span>Chart</span>
          <select value={target} onChange={(event) => setTarget(event.currentTarget.value)}>
            {targets.map((one) => (
              <option key={one} value={one}>
                {titleOf(one)}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>For</span>
          <select value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
            {lifetimes.map((one) => (
              <option key={one.seconds} value={one.seconds}>
                {one.label}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="button button-main">
          Make a link
        </button>
        <div role="status">
          {problem !== null && <Notice tone="bad">{problem}</Notice>}
          {link !== null && (
            <>
              <Copied
                label={`Link, good until ${formatTime(Date.parse(link.expiresAt), zone, "full")}`}
                text={address}
              />
              <Copied
                label="For a page of a site that the operator allows (EMBED_ORIGINS)"
                text={`<iframe src="${address}" title="${titleOf(link.target)}" width="720" height="480"></iframe>`}
              />
            </>
          )}
        </div>
      </form>
    </details>
  );
}

function Copied({ label, text }: { label: string; text: string }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input readOnly value={text} onFocus={(event) => event.currentTarget.select()} />
    </label>
  );
}
