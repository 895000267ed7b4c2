import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LineSeries } from "./line-series.ts";
import { Numbers, textOf } from "./numbers.tsx";
import { roundTicks, spread, tickDecimals } from "./scale.ts";

type Props = {
  title: string;
  /** Said to screen readers in place of the drawing. */
  summary: string;
  labels: string[];
  /** Where each label stands on its axis; evenly spread where not given. */
  places?: number[];
  labelName: string;
  series: LineSeries[];
  formatValue: (value: number) => string;
  /** For the axis; `decimals` are as many as its steps need. */
  formatTick: (value: number, decimals: number) => string;
  /** Which of the labels stand at the axis, at most `most`; evenly spread ones by default. */
  labelTicks?: (most: number) => number[];
  /** The value axis spans at least this. */
  span: [number, number] | null;
  /** A level to compare with, drawn dotted. */
  reference?: { value: number; name: string };
  /** Where something happened, by index, such as a new model. */
  marks?: { index: number; name: string }[];
};

const plotHeight = 190;
const edgeWidth = { left: 50, right: 12, top: 12, bottom: 26 };

/** A small line chart with its numbers behind a fold. */
export function LinePlot(props: Props) {
  const { labels, series, reference, marks = [] } = props;
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(480);
  const [hover, setHover] = useState<number | null>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(Math.max(200, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const known = series.flatMap((one) => one.values.filter((value) => value !== null));
  if (reference !== undefined) known.push(reference.value);
  const [lowest, highest] = props.span ?? [0, 0];
  const ticks = roundTicks(Math.min(lowest, ...known), Math.max(highest, ...known));
  const tickSize = tickDecimals((ticks[1] ?? 1) - (ticks[0] ?? 0));
  const low = ticks[0] ?? 0;
  const high = ticks.at(-1) ?? 1;
  const plotWidth = width - edgeWidth.left - edgeWidth.right;
  const share = sharesOf(props.places ?? labels.map((_, i) => i));
  const x = (i: number) => edgeWidth.left + (share[i] ?? 0) * plotWidth;
  const y = (value: number) =>
    edgeWidth.top + (1 - (value - low) / (high - low || 1)) * (plotHeight - edgeWidth.top - edgeWidth.bottom);
  const most = Math.max(2, Math.floor(plotWidth / 64));
  const shownLabels = props.labelTicks?.(most) ?? spread(labels.length, most);
  const place = (event: PointerEvent) => {
    const left = event.clientX - (box.current?.getBoundingClientRect().left ?? 0) - edgeWidth.left;
    const off = share.map((one) => Math.abs(one - left / plotWidth));
    setHover(off.indexOf(Math.min(...off)));
  };
  const at = hover !== null && hover < labels.length ? hover : null;

  return (
    <div class="plot">
      <div class="plot-head">
        <h3>{props.title}</h3>
        <p class="plot-readout numeric muted" aria-hidden="true">
          {at === null
            ? ""
            : `${props.labelName} ${labels[at]}: ${series.map((one) => `${one.name} ${textOf(one.values[at], props.formatValue)}`).join(", ")}`}
        </p>
      </div>
      <div ref={box} onPointerMove={place} onPointerLeave={() => setHover(null)}>
        <svg class="lines" width={width} height={plotHeight} role="img" aria-label={`${props.title}. ${props.summary}`}>
          {ticks.map((tick) => (
            <g key={tick}>
              <path class="lines-grid" d={`M${edgeWidth.left} ${y(tick)}H${width - edgeWidth.right}`} />
              <text class="lines-tick" x={edgeWidth.left - 8} y={y(tick) + 4} text-anchor="end">
                {props.formatTick(tick, tickSize)}
              </text>
            </g>
          ))}
          {shownLabels.map((i) => (
            <text
              key={i}
              class="lines-tick"
              x={x(i)}
              y={plotHeight - 7}
              text-anchor={x(i) > width - 34 ? "end" : "middle"}
            >
              {labels[i]}
            </text>
          ))}
          {marks.map((mark) => (
            <g key={mark.name}>
              <path class="lines-mark" d={`M${x(mark.index)} ${edgeWidth.top}V${plotHeight - edgeWidth.bottom}`} />
              <text
                class="lines-mark-name"
                x={x(mark.index) + (mark.index > labels.length * 0.7 ? -5 : 5)}
                y={plotHeight - edgeWidth.bottom - 6}
                text-anchor={mark.index > labels.length * 0.7 ? "end" : "start"}
              >
                {mark.name}
              </text>
            </g>
          ))}
          {reference !== undefined && (
            <path class="lines-reference" d={`M${edgeWidth.left} ${y(reference.value)}H${width - edgeWidth.right}`} />
          )}
          {series.map((one) => (
            <g key={one.name} class={`look-${one.look}`}>
              <path d={pathOf(one.values, x, y)} />
              {spread(labels.length, 9).map((i) => {
                const value = one.values[i];
                return value == null ? null : <Marker key={i} look={one.look} x={x(i)} y={y(value)} />;
              })}
            </g>
          ))}
          {at !== null && (
            <path class="lines-hover" d={`M${x(at)} ${edgeWidth.top}V${plotHeight - edgeWidth.bottom}`} />
          )}
        </svg>
      </div>
      <ul class="legend">
        {series.map((one) => (
          <li key={one.name}>
            <svg class={`look-${one.look}`} viewBox="0 0 28 10" aria-hidden="true">
              <path d="M1 5h26" />
              <Marker look={one.look} x={14} y={5} />
            </svg>
            {one.name}
          </li>
        ))}
        {reference !== undefined && (
          <li>
            <svg viewBox="0 0 28 10" aria-hidden="true">
              <path class="lines-reference" d="M1 5h26" />
            </svg>
            {reference.name}
          </li>
        )}
      </ul>
      <Numbers
        title={props.title}
        labels={labels}
        labelName={props.labelName}
        series={series}
        format={props.formatValue}
      />
    </div>
  );
}

/** The places as shares of the axis, 0 to 1; the middle where all are one. */
function sharesOf(places: number[]): number[] {
  const [first, last] = [places[0] ?? 0, places.at(-1) ?? 0];
  return places.map((place) => (last > first ? (place - first) / (last - first) : 0.5));
}

function Marker({ look, x, y }: { look: LineSeries["look"]; x: number; y: number }) {
  if (look === "model") return <circle cx={x} cy={y} r="3" />;
  if (look === "fourth") return <path class="marker" d={`M${x} ${y - 3.8}l3.8 3.8-3.8 3.8-3.8-3.8Z`} />;
  if (look === "fifth") return <path class="marker" d={`M${x} ${y + 3.6}l3.6-6.4h-7.2Z`} />;
  if (look === "persistence") return <rect x={x - 2.7} y={y - 2.7} width="5.4" height="5.4" />;
  return <path class="marker" d={`M${x} ${y - 3.6}l3.6 6.4h-7.2Z`} />;
}

function pathOf(values: (number | null)[], x: (i: number) => number, y: (value: number) => number): string {
  let d = "";
  let isOpen = false;
  values.forEach((value, i) => {
    if (value !== null) d += `${isOpen ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    isOpen = value !== null;
  });
  return d;
}
