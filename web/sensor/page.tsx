import { useState } from "preact/hooks";
import type { AccuracyResponse } from "../../functions/api/contract/accuracy.ts";
import type { ForecastList, LeadSeriesList } from "../../functions/api/contract/forecasts.ts";
import type { Model } from "../../functions/api/contract/models.ts";
import type { ReadingsResponse } from "../../functions/api/contract/readings.ts";
import type { Sensor } from "../../functions/api/contract/sensors.ts";
import { getAnnotations } from "../api/annotations.ts";
import { type Answer, apiLink } from "../api/client.ts";
import {
  getAccuracy,
  getForecastsFrom,
  getLeadSeries,
  getModels,
  getReadings,
  getSensor,
  sensorPath,
} from "../api/requests.ts";
import type { Annotation } from "../client/client.ts";
import { compareHref } from "../compare/lines.ts";
import { Status } from "../fleet/status.tsx";
import { formatDuration, formatTime } from "../format.ts";
import { Share } from "../share/share.tsx";
import { useLive } from "../shell/live.ts";
import { usePreferences } from "../shell/preferences.ts";
import { presentOf, usePulse } from "../shell/pulse.ts";
import { Empty, Failed, Notice, Skeleton } from "../shell/states.tsx";
import { Accuracy } from "./accuracy.tsx";
import { Annotations, type Writing } from "./annotations.tsx";
import { ChartPanel } from "./chart-panel.tsx";
import { Controls, showSpan } from "./controls.tsx";
import { ModelCard } from "./model-card.tsx";
import { ProfilePanel } from "./profile.tsx";
import { Quality } from "./quality.tsx";
import { WatchingRules } from "./rules.tsx";
import { type Grid, readView, spanOf } from "./view.ts";

const none: Annotation[] = [];
const nothing = Promise.resolve({ ok: true as const, data: null });

export function SensorPage({ sensorId, query }: { sensorId: string; query: URLSearchParams }) {
  const pulse = usePulse();
  const { zone } = usePreferences();
  const view = readView(query);
  const present = presentOf(pulse);
  const ops = pulse.ops;
  const grid: Grid = { stepMs: (ops?.stepSeconds ?? 600) * 1000, horizon: ops?.horizon ?? 24, leads: ops?.leads ?? [] };
  const span = spanOf(view, present ?? 0, grid);
  const shown = `${view.preset}|${view.custom?.from}|${view.custom?.to}|${view.origin}|${ops === null}`;

  const sensor = useLive<Sensor>(sensorId, (signal) => getSensor(sensorId, signal));
  const readings = useLive<ReadingsResponse | null>(shown, (signal): Promise<Answer<ReadingsResponse | null>> => {
    if (present === null) return nothing;
    // One step more on the left, so that the line enters the chart from its edge.
    const to = Math.min(span.to, present);
    return getReadings(sensorId, Math.min(span.from, to - grid.stepMs) - grid.stepMs, to, signal);
  });
  const past = useLive<ForecastList | null>(`${view.origin}`, (signal): Promise<Answer<ForecastList | null>> => {
    return view.origin === null ? nothing : getForecastsFrom(sensorId, view.origin, signal);
  });
  const overlay = useLive<LeadSeriesList | null>(
    `${shown}|${view.lead}`,
    (signal): Promise<Answer<LeadSeriesList | null>> => {
      if (view.lead === null || present === null) return nothing;
      const to = Math.min(span.to, present + view.lead * grid.stepMs);
      return getLeadSeries(sensorId, view.lead, Math.min(span.from, to - grid.stepMs), to, signal);
    },
  );
  const byLead = useLive<AccuracyResponse>("lead", (signal) => getAccuracy(sensorId, "lead", signal));
  const byDay = useLive<AccuracyResponse>("day", (signal) => getAccuracy(sensorId, "day", signal));
  const annotations = useLive<Annotation[]>(`annotations ${sensorId}`, (signal) => getAnnotations(sensorId, signal));
  const [isMarking, setMarking] = useState(false);
  const [writing, setWriting] = useState<Writing | null>(null);
  const models = useLive<Model[]>("models", async (signal) => {
    const answer = await getModels({ sensorId }, signal, 1);
    return answer.ok ? { ok: true, data: answer.data.models } : answer;
  });

  if (sensor.data === null || present === null || ops === null) {
    if (sensor.failure !== null) return <Failed failure={sensor.failure} onRetry={sensor.retry} />;
    return (
      <div class="page">
        <h1>{sensorId}</h1>
        <Skeleton height={420} label={`Loading ${sensorId}`} />
        <Skeleton height={420} label="Loading the charts" />
      </div>
    );
  }
  const { status, statusText, targets } = sensor.data;
  const forecastOf = (target: string) =>
    view.origin === null
      ? (targets.find((one) => one.target === target)?.forecast ?? null)
      : (past.data?.items.find((one) => one.target === target) ?? null);
  const first = targets[0];
  const forecast = first === undefined ? null : forecastOf(first.target);
  const origin = forecast === null ? null : Date.parse(forecast.origin);
  const isMissing = view.origin !== null && !past.isLoading && past.data?.items.length === 0;
  const leadText = view.lead === null ? "" : formatDuration((view.lead * grid.stepMs) / 1000);

  return (
    <div class="page">
      <nav class="crumbs" aria-label="You are here">
        <a href="/" data-route>
          Fleet
        </a>
      </nav>
      <div class="title">
        <h1>{sensor.data.profile.name ?? sensorId}</h1>
        {sensor.data.profile.name !== null && <code>{sensorId}</code>}
        <Status status={status} />
        <span class="muted">{statusText}</span>
        <a class="title-link" href={apiLink(`${sensorPath(sensorId)}/forecasts`)}>
          This forecast as JSON
        </a>
        <a class="title-link" href={compareHref([sensorId], null)} data-route>
          Compare
        </a>
        <Share sensorId={sensorId} targets={targets.map(({ target }) => target)} />
      </div>
      {sensor.failure !== null && (
        <Notice tone="warn">
          <b>The sensor could not be refreshed.</b> {sensor.failure.detail}
        </Notice>
      )}
      <Controls
        view={view}
        span={span}
        grid={grid}
        present={present}
        origin={origin}
        isPaused={pulse.isPaused}
        isMarking={isMarking}
        onMarking={setMarking}
      />
      {view.origin !== null && origin !== null && !past.isOutdated && (
        <Notice tone="info">
          <b>As issued {formatTime(origin, zone, "full")}.</b>{" "}
          {origin === view.origin
            ? "Nothing has been changed since; the solid line shows what then happened."
            : `There is no forecast from ${formatTime(view.origin, zone, "dayClock")}; this is the one before it.`}
        </Notice>
      )}
      {isMissing && (
        <Empty title="No forecast from then">
          None was issued at or before {formatTime(view.origin ?? 0, zone, "full")}. Choose a later moment.
        </Empty>
      )}
      {(readings.failure ?? past.failure ?? overlay.failure) !== null && (
        <Notice tone="warn">
          <b>Part of the chart did not load.</b> {(readings.failure ?? past.failure ?? overlay.failure)?.detail}{" "}
          <button type="button" class="link" onClick={readings.retry}>
            Try now
          </button>
        </Notice>
      )}
      {targets.length === 0 && (
        <Empty title="Nothing is forecast for this sensor">The configuration of the source names no target.</Empty>
      )}
      {targets.map((target) =>
        readings.data === null && readings.failure === null ? (
          <Skeleton key={target.target} height={440} label={`Loading ${target.target}`} />
        ) : (
          <ChartPanel
            key={target.target}
            sensorId={sensorId}
            own={sensor.data?.profile.limits[target.target] ?? null}
            target={target}
            readings={readings.data}
            forecast={forecastOf(target.target)}
            overlay={overlay.data?.items.find((one) => one.target === target.target) ?? null}
            leadText={leadText}
            statusText={statusText}
            isPast={view.origin !== null}
            span={span}
            grid={grid}
            isTable={view.isTable}
            isDimmed={readings.isOutdated || past.isOutdated || overlay.isOutdated}
            onSpan={showSpan}
            onReset={() => showSpan(null)}
            annotations={annotations.data ?? none}
            isMarking={isMarking}
            onMark={(marked) => {
              setMarking(false);
              setWriting({ span: marked });
            }}
          />
        ),
      )}
      {annotations.failure !== null && (
        <Notice tone="warn">
          <b>The annotations did not load.</b> {annotations.failure.detail}
        </Notice>
      )}
      <Annotations
        sensorId={sensorId}
        targets={targets}
        annotations={annotations.data ?? none}
        stepMs={grid.stepMs}
        usual={{ from: present - 3_600_000, to: present }}
        writing={writing}
        onWrite={setWriting}
        onChanged={() => {
          for (const shownLive of [annotations, byLead, byDay]) shownLive.retry();
        }}
      />
      <div class="halves">
        <ProfilePanel sensor={sensor.data} onChanged={sensor.retry} />
        <WatchingRules sensorId={sensorId} />
      </div>
      <Accuracy byLead={byLead} byDay={byDay} models={models.data ?? []} stepSeconds={ops.stepSeconds} />
      <div class="halves">
        <ModelCard sensor={sensor.data} models={models} />
        <Quality sensor={sensor.data} forecast={forecast} readings={readings.data} />
      </div>
    </div>
  );
}
