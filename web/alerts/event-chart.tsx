import { useEffect, useMemo, useState } from "preact/hooks";
import type { IssuedForecast } from "../../functions/api/contract/alerts.ts";
import type { ReadingsResponse } from "../../functions/api/contract/readings.ts";
import { getReadings } from "../api/requests.ts";
import { formatNumber, formatTime, withUnit } from "../format.ts";
import { roundTicks, tickDecimals } from "../plots/scale.ts";
import { usePreferences } from "../shell/preferences.ts";

type Limits = { low: number | null; high: number | null };
type Props = {
  sensorId: string;
  target: string;
  unit: string;
  limits: Limits;
  /** What was said, as it was issued; null where nothing was. */
  forecast: IssuedForecast | null;
  firedAt: number | null;
  /** Epoch milliseconds that must be seen. */
  from: number;
  to: number;
  /** For the ear: what happened. */
  summary: string;
};

const size = { width: 640, height: 190 };
const edge = { left: 48, right: 10, top: 10, bottom: 24 };
const hourMs = 3_600_000;

/** One firing or crossing: the forecast as it was issued, the limit, and what then came. */
export function EventChart(props: Props) {
  const { sensorId, target, unit, limits, forecast, firedAt, summary } = props;
  const { zone } = usePreferences();
  const span = { from: props.from - 3 * hourMs, to: props.to + hourMs };
  const readings = useReadings(sensorId, span);
  const actual = useMemo(() => seriesOf(readings, target), [readings, target]);
  const ahead = (values: number[]) =>
    (forecast?.targetAt ?? []).flatMap((at, i) => {
      const ms = Date.parse(at);
      return ms <= span.to ? [{ at: ms, value: values[i]! }] : [];
    });
  const [low, middle, high] = [ahead(forecast?.q10 ?? []), ahead(forecast?.q50 ?? []), ahead(forecast?.q90 ?? [])];
  const known = [...actual.flatMap(({ value }) => value ?? []), ...low.map(({ value }) => value)];
  known.push(...high.map(({ value }) => value));
  for (const limit of [limits.low, limits.high]) if (limit !== null) known.push(limit);
  if (known.length === 0) return <p class="muted">{readings === null ? "Loading what was measured" : summary}</p>;
  const ticks = roundTicks(Math.min(...known), Math.max(...known));
  const [bottom, top] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const decimals = tickDecimals((ticks[1] ?? 1) - bottom);
  const x = (at: number) =>
    edge.left + ((at - span.from) / (span.to - span.from)) * (size.width - edge.left - edge.right);
  const y = (value: number) =>
    edge.top + (1 - (value - bottom) / (top - bottom || 1)) * (size.height - edge.top - edge.bottom);
  const path = (points: Point[]) => pathOf(points, x, y);
  const band = high.length > 0 ? `${path(high)}${path(low.toReversed()).replace("M", "L")}Z` : "";
  const times = [0, 1, 2, 3, 4].map((i) => span.from + (i * (span.to - span.from)) / 4);
  return (
    <figure class="event-chart">
      <svg viewBox={`0 0 ${size.width} ${size.height}`} role="img" aria-label={summary} class="lines">
        {ticks.map((tick) => (
          <g key={tick}>
            <path class="lines-grid" d={`M${edge.left} ${y(tick)}H${size.width - edge.right}`} />
            <text class="lines-tick" x={edge.left - 6} y={y(tick) + 4} text-anchor="end">
              {formatNumber(tick, decimals)}
            </text>
          </g>
        ))}
        {times.map((at, i) => (
          <text
            key={at}
            class="lines-tick"
            x={x(at)}
            y={size.height - 6}
            text-anchor={i === 0 ? "start" : i === 4 ? "end" : "middle"}
          >
            {formatTime(at, zone, i === 0 ? "dayClock" : "clock")}
          </text>
        ))}
        <path class="event-band" d={band} />
        {[limits.low, limits.high].map(
          (limit) =>
            limit !== null && (
              <path key={limit} class="key-limit" d={`M${edge.left} ${y(limit)}H${size.width - edge.right}`} />
            ),
        )}
        <path class="event-median" d={path(middle)} />
        <path class="event-actual" d={path(actual)} />
        {firedAt !== null && <path class="event-fired" d={`M${x(firedAt)} ${edge.top}V${size.height - edge.bottom}`} />}
      </svg>
      <ul class="legend">
        <li>
          <svg viewBox="0 0 28 10" aria-hidden="true">
            <path class="event-actual" d="M1 5h26" />
          </svg>
          {withUnit("measured,", unit)}
        </li>
        {forecast !== null && (
          <li>
            <svg viewBox="0 0 28 10" aria-hidden="true">
              <path class="event-median" d="M1 5h26" />
            </svg>
            forecast as issued, with its 80 % range
          </li>
        )}
        <li>
          <svg viewBox="0 0 28 10" aria-hidden="true">
            <path class="key-limit" d="M1 5h26" />
          </svg>
          limit
        </li>
        {firedAt !== null && (
          <li>
            <svg viewBox="0 0 28 10" aria-hidden="true">
              <path class="event-fired" d="M14 0v10" />
            </svg>
            fired {formatTime(firedAt, zone, "dayClock")}
          </li>
        )}
      </ul>
    </figure>
  );
}

type Point = { at: number; value: number | null };

function pathOf(points: Point[], x: (at: number) => number, y: (value: number) => number): string {
  let d = "";
  let isOpen = false;
  for (const { at, value } of points) {
    if (value !== null) d += `${isOpen ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    isOpen = value !== null;
  }
  return d;
}

function seriesOf(readings: ReadingsResponse | null, target: string): Point[] {
  const values = readings?.targets.find((one) => one.target === target)?.value ?? [];
  return (readings?.at ?? []).map((at, i) => ({ at: Date.parse(at), value: values[i] ?? null }));
}

/** What was measured in the span; null until it has come. */
function useReadings(sensorId: string, { from, to }: { from: number; to: number }): ReadingsResponse | null {
  const [readings, setReadings] = useState<ReadingsResponse | null>(null);
  useEffect(() => {
    const leaving = new AbortController();
    getReadings(sensorId, from, to, leaving.signal)
      .then((answer) => answer.ok && setReadings(answer.data))
      .catch(() => {});
    return () => leaving.abort();
  }, [sensorId, from, to]);
  return readings;
}
