import { useMemo, useState } from "preact/hooks";
import type { ForecastResponse, LeadSeries } from "../../functions/api/contract/forecasts.ts";
import type { ReadingsResponse } from "../../functions/api/contract/readings.ts";
import type { SensorTarget } from "../../functions/api/contract/sensors.ts";
import type { Annotation } from "../client/client.ts";
import { formatDuration, formatRange, formatTime, formatValue, titleOf } from "../format.ts";
import { download } from "../shell/download.ts";
import { usePreferences } from "../shell/preferences.ts";
import { presentOf, usePulse } from "../shell/pulse.ts";
import { annotationText, shownOf } from "./annotation-draft.ts";
import { ForecastChart } from "./chart.tsx";
import { aftermath, buildChart, type ChartData } from "./chart-data.ts";
import { CounterLevel } from "./counter-level.tsx";
import { Crossings } from "./crossings.tsx";
import { chartToCsv, csvName } from "./csv.ts";
import { decimalsOf, summarise } from "./describe.ts";
import type { OwnLimits } from "./limits.ts";
import { PointTable } from "./point-table.tsx";
import type { Grid, Span } from "./view.ts";

type Props = {
  sensorId: string;
  /** What a person wants the target to stay within; null where nobody said. */
  own: OwnLimits | null;
  target: SensorTarget;
  readings: ReadingsResponse | null;
  forecast: ForecastResponse | null;
  overlay: LeadSeries | null;
  leadText: string;
  /** The sensor's state in words: why there may be no forecast. */
  statusText: string;
  /** An older origin was chosen. */
  isPast: boolean;
  /** Whoever looks has a link to this chart and may do nothing. */
  isShared?: boolean;
  span: Span;
  grid: Grid;
  isTable: boolean;
  isDimmed: boolean;
  onSpan: (span: Span) => void;
  onReset: () => void;
  annotations: Annotation[];
  isMarking: boolean;
  onMark: (span: Span) => void;
};

export function ChartPanel(props: Props) {
  const { target, readings, forecast, overlay, span } = props;
  const { zone } = usePreferences();
  const pulse = usePulse();
  const [point, setPoint] = useState<number | null>(null);
  const data = useMemo(
    () => buildChart(readings, forecast, overlay, target.target),
    [readings, forecast, overlay, target.target],
  );
  const decimals = useMemo(() => decimalsOf(data), [data]);
  const words = { unit: target.unit, zone, decimals };
  const summary = summarise(data, forecast, props.isPast ? aftermath(data) : null, words);
  const present = presentOf(pulse);
  const name = titleOf(target.target);
  const origin = data.origin;
  const annotations = useMemo(
    () => shownOf(props.annotations, target.target, span),
    [props.annotations, target.target, span.from, span.to],
  );
  const isShown = (at: number) => at >= span.from && at <= span.to;
  return (
    <figure class={`panel dimmable${props.isDimmed ? " is-outdated" : ""}`} aria-busy={props.isDimmed}>
      <div class="panel-head">
        <div>
          <h2>{name}</h2>
          <p class="reading numeric">
            <b>{formatValue(target.lastValue, target.unit, decimals)}</b>
            {target.lastReadingAt !== null && present !== null && (
              <span class="muted"> {formatDuration((present - Date.parse(target.lastReadingAt)) / 1000)} ago</span>
            )}
          </p>
          <CounterLevel forecast={forecast} zone={zone} />
          <Crossings
            sensorId={props.sensorId}
            target={target}
            own={props.own}
            isPast={props.isPast}
            isShared={props.isShared ?? false}
          />
        </div>
        {!props.isTable && <Readout data={data} index={point} {...words} />}
      </div>
      {props.isTable ? (
        <PointTable name={name} data={data} span={span} leadText={props.leadText} {...words} />
      ) : (
        <>
          <ForecastChart
            name={name}
            data={data}
            scene={{
              origin,
              isPast: props.isPast,
              originLabel: origin === null ? "" : `from ${formatTime(origin, zone, "clock")}`,
              limits: target,
              own: props.own,
              unit: target.unit,
              bandLabel: "80 % range",
              heldBack: data.heldBack,
              annotations,
            }}
            decimals={decimals}
            span={span}
            grid={props.grid}
            height={300}
            onSpan={props.onSpan}
            onReset={props.onReset}
            isMarking={props.isMarking}
            onMark={props.onMark}
            onPoint={setPoint}
          />
          <Legend
            leadText={props.leadText}
            hasForecast={forecast !== null}
            hasStanding={data.standing.some((value, i) => value !== null && isShown(data.at[i]!))}
            hasLimits={props.own?.low != null || props.own?.high != null}
            hasHeldBack={data.heldBack.some(({ at }) => isShown(at))}
          />
        </>
      )}
      <button
        type="button"
        class="link csv"
        aria-label={`${name} as CSV`}
        onClick={() => download(csvName(props.sensorId, target.target), chartToCsv(data, span))}
      >
        CSV
      </button>
      <figcaption>
        {summary}
        {forecast === null && !props.isPast && ` ${props.statusText}`}
        {annotations.length > 0 && ` Annotated: ${annotations.map((one) => annotationText(one, zone)).join("; ")}.`}
      </figcaption>
    </figure>
  );
}

/** The values at the cursor; holds its place when there is none. */
function Readout(props: {
  data: ChartData;
  index: number | null;
  unit: string;
  zone: "utc" | "local";
  decimals: number;
}) {
  const { data, index, unit, zone, decimals } = props;
  const at = index === null ? undefined : data.at[index];
  if (index === null || at === undefined)
    return <div class="readout muted">Point at the chart or use the arrow keys</div>;
  const [observed, low, middle, high] = [data.observed[index], data.q10[index], data.q50[index], data.q90[index]];
  const overlay = data.overlay[index];
  const standing = data.standing[index] ?? null;
  const none = standing === null ? "no reading" : `no reading, ${formatValue(standing, unit, decimals)} stands`;
  const isForecast = data.origin !== null && at > data.origin && middle != null && low != null && high != null;
  return (
    <dl class="readout numeric">
      <div>
        <dt>{formatTime(at, zone, "dayClock")}</dt>
        <dd>{observed == null ? (isForecast ? "" : none) : formatValue(observed, unit, decimals)}</dd>
      </div>
      {isForecast && (
        <div>
          <dt>median, 80 % range</dt>
          <dd>
            <span class="future">{formatValue(middle, unit, decimals)}</span>{" "}
            <span class="muted">{formatRange(low, high, "", decimals)}</span>
          </dd>
        </div>
      )}
      {overlay != null && (
        <div>
          <dt>earlier forecast</dt>
          <dd class="overlay">{formatValue(overlay, unit, decimals)}</dd>
        </div>
      )}
    </dl>
  );
}

function Legend(props: {
  leadText: string;
  hasForecast: boolean;
  hasStanding: boolean;
  hasLimits: boolean;
  hasHeldBack: boolean;
}) {
  const { leadText, hasForecast, hasStanding, hasHeldBack } = props;
  return (
    <ul class="legend">
      <li>
        <svg viewBox="0 0 28 10" aria-hidden="true">
          <path class="key-observed" d="M1 5h26" />
        </svg>
        observed
      </li>
      {hasForecast && (
        <>
          <li>
            <svg viewBox="0 0 28 10" aria-hidden="true">
              <path class="key-median" d="M1 5h26" />
            </svg>
            median
          </li>
          <li>
            <svg viewBox="0 0 28 10" aria-hidden="true">
              <rect class="key-band" x="1" y="1" width="26" height="8" />
            </svg>
            80 % range
          </li>
        </>
      )}
      {hasStanding && (
        <li>
          <svg viewBox="0 0 28 10" aria-hidden="true">
            <path class="key-standing" d="M1 5h26" />
          </svg>
          between readings
        </li>
      )}
      {props.hasLimits && (
        <li>
          <svg viewBox="0 0 28 10" aria-hidden="true">
            <path class="key-limit" d="M1 5h26" />
          </svg>
          limit, and what lies beyond it
        </li>
      )}
      {hasHeldBack && (
        <li>
          <svg viewBox="0 0 28 10" aria-hidden="true">
            <path class="key-observed" d="M10 1l8 8M10 9l8-8" />
          </svg>
          held back
        </li>
      )}
      {leadText !== "" && (
        <li>
          <svg viewBox="0 0 28 10" aria-hidden="true">
            <path class="key-overlay" d="M1 5h26" />
          </svg>
          forecast {leadText} earlier
        </li>
      )}
    </ul>
  );
}
