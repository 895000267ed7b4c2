import type { ComponentChildren } from "preact";
import type { OpsResponse } from "../../functions/api/contract.ts";
import { formatBytes, formatDuration, formatNumber, formatTime, plural } from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { presentOf, usePulse } from "../shell/pulse.ts";
import { Notice, Skeleton } from "../shell/states.tsx";

/** How the system itself fares: what failed at every delivery and why, and how the latest slots ended. */
export function OperationsPage() {
  const pulse = usePulse();
  const { ops, failure } = pulse;
  // A failure without an earlier answer is told above the page.
  if (ops === null) return failure === null ? <Skeleton height={320} label="Loading the state of the system" /> : null;
  return (
    <div class="page">
      <div class="title">
        <h1>Operations</h1>
        <span class="muted">
          {plural(ops.sensors, "sensor")}, version {ops.codeVersion}
        </span>
      </div>
      <DeadLetters letters={ops.deadLetters} present={presentOf(pulse) ?? Date.parse(ops.now)} />
      <Storage storage={ops.storage} />
      <Cycles cycles={ops.cycles} />
    </div>
  );
}

function DeadLetters({ letters, present }: { letters: OpsResponse["deadLetters"]; present: number }) {
  const { zone } = usePreferences();
  return (
    <>
      <h2>Dead letters</h2>
      {letters.error !== null ? (
        <Notice tone="warn">They are not known: {letters.error}.</Notice>
      ) : letters.count === 0 ? (
        <p class="muted">None: no message failed at every delivery.</p>
      ) : (
        <>
          <p>
            {plural(letters.count, "message")} failed at every delivery
            {letters.count > letters.items.length && `; these are the ${letters.items.length} sent last`}. Once the
            cause is gone, <code>npm run queue -- redrive</code> sends them back: what is done already is not done
            again.
          </p>
          <Scrolling label="Dead letters">
            <thead>
              <tr>
                <th scope="col">Queue</th>
                <th scope="col">Sent</th>
                <th scope="col">Reason</th>
                <th scope="col">Message</th>
              </tr>
            </thead>
            <tbody>
              {letters.items.map(({ id, queue, reason, sentAt, body }) => (
                <tr key={id}>
                  <td title={id}>{queue}</td>
                  <td>
                    <time dateTime={sentAt} title={formatTime(Date.parse(sentAt), zone, "full")}>
                      {formatDuration((present - Date.parse(sentAt)) / 1000)} ago
                    </time>
                  </td>
                  <td class="wrap">{reason ?? "ended without an answer: killed, out of memory or out of time"}</td>
                  <td>
                    <details>
                      <summary>show</summary>
                      <code class="wrap">{body}</code>
                    </details>
                  </td>
                </tr>
              ))}
            </tbody>
          </Scrolling>
        </>
      )}
    </>
  );
}

/** What is kept how long, and when the next of it goes. */
function Storage({ storage: { tables, archived, freedPerDay } }: { storage: OpsResponse["storage"] }) {
  if (tables.length === 0) return null;
  return (
    <>
      <h2>Storage</h2>
      <p class="muted">
        {plural(archived.days, "day")} archived, {formatBytes(archived.bytes)}; retention frees{" "}
        {formatBytes(freedPerDay)} within a day.
      </p>
      <Scrolling label="Storage">
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col">Kept</th>
            <th scope="col">Days</th>
            <th scope="col">Bytes</th>
            <th scope="col">Oldest</th>
            <th scope="col">Goes</th>
          </tr>
        </thead>
        <tbody>
          {tables.map(({ table, keptDays, days, bytes, oldestDay, goesAt, goesBytes }) => (
            <tr key={table}>
              <td>{table}</td>
              <td>{plural(keptDays, "day")}</td>
              <td>{formatNumber(days, 0)}</td>
              <td>{formatBytes(bytes)}</td>
              <td>{oldestDay}</td>
              <td>
                {goesAt.slice(0, 10)}, {formatBytes(goesBytes)}
              </td>
            </tr>
          ))}
        </tbody>
      </Scrolling>
    </>
  );
}

function Cycles({ cycles }: { cycles: OpsResponse["cycles"] }) {
  const { zone } = usePreferences();
  const counts = ["sensors", "issued", "baseline", "refused", "expired"] as const;
  return (
    <>
      <h2>Latest slots</h2>
      {cycles.length === 0 ? (
        <p class="muted">None yet: the first comes with the next step.</p>
      ) : (
        <Scrolling label="Latest slots">
          <thead>
            <tr>
              <th scope="col">Slot</th>
              {counts.map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {cycles.map((cycle) => (
              <tr key={cycle.slot}>
                <td>
                  <time dateTime={cycle.slot}>{formatTime(Date.parse(cycle.slot), zone, "full")}</time>
                </td>
                {counts.map((name) => (
                  <td key={name}>{formatNumber(cycle[name], 0)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </Scrolling>
      )}
    </>
  );
}

function Scrolling({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must take the keyboard's focus
    <section class="fleet-wrap table-scroll" tabIndex={0} aria-label={label}>
      <table class="plain numeric operations">{children}</table>
    </section>
  );
}
