import { useEffect, useMemo, useState } from "preact/hooks";
import type { Failure } from "../api/client.ts";
import { getSharedChart, type SharedChart } from "../api/share.ts";
import { formatTime } from "../format.ts";
import { ChartPanel } from "../sensor/chart-panel.tsx";
import { type Grid, type Span, spanOf } from "../sensor/view.ts";
import { usePreferences } from "../shell/preferences.ts";
import { type Pulse, PulseContext, presentOf } from "../shell/pulse.ts";
import { Notice, Skeleton } from "../shell/states.tsx";

/** People's notes are not for who has a link. */
const none: never[] = [];
const mostWaitMs = 60_000;
const leastWaitMs = 5_000;

/** One chart alone, for whoever has its link: no navigation, no sign-in, nothing but the chart is asked for. */
export function EmbedPage() {
  const [token] = useState(() => location.hash.slice(1));
  const { chart, failure, receivedAtMs } = useSharedChart(token);
  const [custom, setCustom] = useState<Span | null>(null);
  const { zone } = usePreferences();
  const pulse = useMemo(() => (chart === null ? null : pulseOf(chart, receivedAtMs)), [chart, receivedAtMs]);
  if (chart === null || pulse === null) {
    if (failure === null) return <Skeleton height={420} label="Loading the chart" />;
    return (
      <main class="embed">
        <h1 class="sr-only">Shared chart</h1>
        <Notice tone="bad">
          <b>{failure.title}.</b> {failure.detail}
        </Notice>
      </main>
    );
  }
  const { sensorId, name, stepSeconds, horizon, leads, target } = chart;
  const grid: Grid = { stepMs: stepSeconds * 1000, horizon, leads };
  const view = { preset: "fit" as const, custom, origin: null, lead: null, isTable: false };
  return (
    <PulseContext.Provider value={pulse}>
      <main class="embed" aria-label={name ?? sensorId}>
        <h1>{name ?? sensorId}</h1>
        {failure !== null && (
          <Notice tone="warn">
            <b>The chart could not be refreshed.</b> {failure.detail}
          </Notice>
        )}
        <ChartPanel
          {...{ sensorId, target, grid }}
          own={chart.limits}
          readings={chart.readings}
          forecast={target.forecast}
          overlay={null}
          leadText=""
          statusText={chart.statusText}
          isPast={false}
          isShared
          annotations={none}
          isMarking={false}
          onMark={() => {}}
          span={spanOf(view, presentOf(pulse) ?? 0, grid)}
          isTable={false}
          isDimmed={failure !== null}
          onSpan={setCustom}
          onReset={() => setCustom(null)}
        />
        <p class="muted">Shared until {formatTime(Date.parse(chart.expiresAt), zone, "full")}</p>
      </main>
    </PulseContext.Provider>
  );
}

type Shared = { chart: SharedChart | null; failure: Failure | null; receivedAtMs: number };

/** The chart, asked for again with every step; a link that is good no more is not asked for again. */
function useSharedChart(token: string): Shared {
  const [shared, setShared] = useState<Shared>({ chart: null, failure: null, receivedAtMs: 0 });
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      const answer = await getSharedChart(token, stop.signal).catch(() => null);
      if (answer === null) return;
      if (answer.ok) setShared({ chart: answer.data, failure: null, receivedAtMs: performance.now() });
      else setShared((before) => ({ ...before, failure: answer.failure }));
      if (!answer.ok && answer.failure.kind === "signedOut") return;
      const stepMs = answer.ok ? (answer.data.stepSeconds * 1000) / Math.max(1, answer.data.clockSpeed) : mostWaitMs;
      timer = setTimeout(() => void ask(), Math.min(mostWaitMs, Math.max(leastWaitMs, stepMs)));
    };
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [token]);
  return shared;
}

/** Of the system who has a link knows nothing. */
const unknownOps = {
  ...{ isDemo: false, cycles: [], queue: [], sensors: 1, codeVersion: "" },
  source: {
    ...{ newestReadingAt: null, ageSeconds: null, readingsAhead: null },
    ...{ isStandby: false, isReceiving: null, lagBytes: null, error: null },
  },
  deadLetters: { count: 0, items: [], error: null },
  database: { bytes: 0, tables: [] },
  storage: {
    ...{ bytesPerDay: null, freedPerDay: 0, limitBytes: null, daysToLimit: null, tables: [] },
    ...{ backup: null, archived: { days: 0, bytes: 0 } },
  },
};

/** The heartbeat that charts go by, made of the chart itself: /v1/ops is not for who has a link. */
function pulseOf(chart: SharedChart, receivedAtMs: number): Pulse {
  const { now, clockSpeed, stepSeconds, horizon, leads } = chart;
  const nothing = () => {};
  return {
    ops: { ...unknownOps, now, clockSpeed, stepSeconds, horizon, leads },
    ...{ failure: null, receivedAtMs, nextTryAtMs: 0, beat: now, isPaused: false },
    ...{ setPaused: nothing, refresh: nothing },
  };
}
