import { Account } from "../access/account.tsx";
import { apiLink } from "../api/client.ts";
import { formatDuration, formatNumber, formatTime } from "../format.ts";
import { Icon } from "./icons.tsx";
import { type Theme, usePreferences } from "./preferences.ts";
import { presentOf, usePulse, useTick } from "./pulse.ts";

const nextThemes: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
const themeIcons = { auto: "auto", light: "sun", dark: "moon" } as const;

export function Header({
  page,
}: {
  page: "fleet" | "alerts" | "models" | "operations" | "sensor" | "sign-in" | "none";
}) {
  const { theme, setTheme, zone, setZone } = usePreferences();
  return (
    <header class="header">
      <div class="header-inner">
        <a class="brand" href="/" data-route aria-label="IoT LSTM Predictor, fleet page">
          <Mark />
          <span class="brand-name">
            <b>IoT</b> LSTM Predictor
          </span>
        </a>
        <nav class="nav" aria-label="Pages">
          <a href="/" data-route aria-current={page === "fleet" ? "page" : undefined}>
            Fleet
          </a>
          <a href="/alerts" data-route aria-current={page === "alerts" ? "page" : undefined}>
            Alerts
          </a>
          <a href="/models" data-route aria-current={page === "models" ? "page" : undefined}>
            Models
          </a>
          <a href="/operations" data-route aria-current={page === "operations" ? "page" : undefined}>
            Operations
          </a>
          <a href={apiLink("/reference")}>API</a>
        </nav>
        <div class="header-tools">
          <Freshness />
          <Account />
          <button
            type="button"
            class="button button-quiet zone"
            onClick={() => setZone(zone === "utc" ? "local" : "utc")}
            aria-label={`Times in ${zone === "utc" ? "UTC" : "local time"}; switch to ${zone === "utc" ? "local time" : "UTC"}`}
          >
            {zone === "utc" ? "UTC" : "Local"}
          </button>
          <button
            type="button"
            class="button button-quiet button-icon"
            onClick={() => setTheme(nextThemes[theme])}
            aria-label={`Theme ${theme}; switch to ${nextThemes[theme]}`}
            title={`Theme: ${theme}`}
          >
            <Icon name={themeIcons[theme]} />
          </button>
        </div>
      </div>
    </header>
  );
}

/** The server's clock, how old the page's data is, and a way to hold it still. */
function Freshness() {
  const pulse = usePulse();
  const { zone } = usePreferences();
  useTick(1000);
  const present = presentOf(pulse);
  const age = (performance.now() - pulse.receivedAtMs) / 1000;
  const isLost = pulse.failure !== null;
  const words = pulse.isPaused ? "Paused" : isLost ? "Offline" : present === null ? "Connecting" : "Live";
  return (
    <div class="freshness">
      {present !== null && (
        <span class="clock">
          {pulse.ops?.isDemo && (
            <span class="badge" title="The demo replays recorded readings; its clock runs faster than a wall clock">
              demo clock {formatNumber(pulse.ops.clockSpeed, pulse.ops.clockSpeed % 1 === 0 ? 0 : 1)}×
            </span>
          )}
          <time class="numeric" dateTime={new Date(present).toISOString()}>
            {formatTime(present, zone, "full")}
          </time>
        </span>
      )}
      <span class={`pulse pulse-${words.toLowerCase()}`}>
        <i aria-hidden="true" />
        <span>{words}</span>
        {present !== null && <span class="muted numeric updated">updated {formatDuration(age)} ago</span>}
      </span>
      <button
        type="button"
        class="button button-quiet button-icon"
        onClick={() => pulse.setPaused(!pulse.isPaused)}
        aria-label={pulse.isPaused ? "Resume live updates" : "Pause live updates"}
        title={pulse.isPaused ? "Resume live updates" : "Pause live updates"}
      >
        <Icon name={pulse.isPaused ? "play" : "pause"} />
      </button>
    </div>
  );
}

/** The sign of the product: a line that is known, the present, and a range that is not. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 36 28" width="36" height="28" aria-hidden="true" focusable="false">
      <path class="mark-band" d="M18 14.5 34 4v17Z" />
      <path class="mark-past" d="M2 20l5-5 4.5 3.5L18 14.5" />
      <path class="mark-future" d="M18 14.5 34 12" />
      <path class="mark-now" d="M18 2v24" />
    </svg>
  );
}
