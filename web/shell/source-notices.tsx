import { formatBytes, formatDuration, formatTime, plural } from "../format.ts";
import { usePreferences } from "./preferences.ts";
import { presentOf, usePulse, useTick } from "./pulse.ts";
import { Failed, Notice } from "./states.tsx";

/**
 * What every page must know before it believes what it shows: lost connection, silent or degraded source, dead letters.
 */
export function SourceNotices() {
  const pulse = usePulse();
  const { zone } = usePreferences();
  useTick(1000);
  const present = presentOf(pulse);
  if (pulse.ops === null || present === null) {
    // Who may not see this is told so by the page itself.
    const isRefused = pulse.failure?.kind === "signedOut" || pulse.failure?.kind === "forbidden";
    return pulse.failure === null || isRefused ? null : <Failed failure={pulse.failure} onRetry={pulse.refresh} />;
  }
  const { source, stepSeconds, deadLetters } = pulse.ops;
  const age = source.newestReadingAt === null ? null : (present - Date.parse(source.newestReadingAt)) / 1000;
  return (
    <>
      {pulse.failure !== null && (
        <Notice tone="bad">
          <b>{pulse.failure.title}.</b> {pulse.failure.detail} What you see was true{" "}
          {formatDuration((performance.now() - pulse.receivedAtMs) / 1000)} ago. <NextTry atMs={pulse.nextTryAtMs} />{" "}
          <button type="button" class="link" onClick={pulse.refresh}>
            Try now
          </button>
        </Notice>
      )}
      {source.error !== null && (
        <Notice tone="bad">
          {source.error === "misconfigured" ? (
            <>
              <b>The source is not as the mapping says.</b> A table, a column or a grant is gone:{" "}
              <code>npm run check-source</code> says which.
            </>
          ) : (
            <b>The follower database {source.error === "timeout" ? "answers too slowly" : "does not answer"}.</b>
          )}{" "}
          Forecasts wait until it can be read.
        </Notice>
      )}
      {source.error === null && source.isReceiving === false && (
        <Notice tone="warn">
          <b>Replication has stopped.</b> The follower receives nothing from its primary
          {source.lagBytes !== null && ` and is ${formatBytes(source.lagBytes)} behind`}.
        </Notice>
      )}
      {source.error === null && age !== null && age > 3 * stepSeconds && (
        <Notice tone="warn">
          <b>The source is stale.</b> Its newest reading is {formatDuration(age)} old (
          {formatTime(Date.parse(source.newestReadingAt ?? ""), zone, "dayClock")}). Forecasts are withheld or marked
          until readings come again.
        </Notice>
      )}
      {(source.readingsAhead ?? 0) > 0 && (
        <Notice tone="warn">
          <b>{plural(source.readingsAhead ?? 0, "reading")} ahead of the clock</b> are left out: a sensor's clock, or
          the source's time zone, is wrong.
        </Notice>
      )}
      {deadLetters.count > 0 && (
        <Notice tone="warn">
          <b>{plural(deadLetters.count, "message")} failed at every delivery.</b>{" "}
          <a href="/operations" data-route>
            See why, and how to send them back
          </a>
        </Notice>
      )}
    </>
  );
}

function NextTry({ atMs }: { atMs: number }) {
  const seconds = (atMs - performance.now()) / 1000;
  return <>{seconds > 0.5 ? `Next try in ${formatDuration(seconds)}.` : "Trying now."}</>;
}
