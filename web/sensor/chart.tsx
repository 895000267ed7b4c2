import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { formatTime } from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { presentOf, usePulse, useTick } from "../shell/pulse.ts";
import type { ChartData } from "./chart-data.ts";
import { type Colours, readColours } from "./colours.ts";
import { describePoint } from "./describe.ts";
import type { Scene } from "./paint.ts";
import { type PlotInputs, plotOptions } from "./plot-options.ts";
import { type Grid, pan, type Span, zoom } from "./view.ts";

type Props = {
  name: string;
  data: ChartData;
  scene: Omit<Scene, "present">;
  decimals: number;
  span: Span;
  grid: Grid;
  height: number;
  onSpan: (span: Span) => void;
  onReset: () => void;
  /** Whether dragging marks a stretch, and does not zoom. */
  isMarking: boolean;
  onMark: (span: Span) => void;
  /** The point under the cursor, null when there is none. */
  onPoint: (index: number | null) => void;
};

/** The forecast chart. Arrow keys walk its points and speak them; drag, + and - zoom; shift with arrows pans. */
export function ForecastChart(props: Props) {
  const { data, span, height, grid } = props;
  const { zone, isDark } = usePreferences();
  const pulse = usePulse();
  useTick(1000);
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const colours = useRef<Colours | null>(null);
  const point = useRef<number | null>(null);
  const [spoken, setSpoken] = useState("");
  const present = presentOf(pulse);

  colours.current ??= readColours();
  const { onSpan, onReset, onPoint, onMark } = props;
  const onSelect = props.isMarking ? onMark : onSpan;
  const marked = useRef<number | null>(null);
  const scene = { ...props.scene, present };
  const inputs = useRef<PlotInputs>({ scene, colours: colours.current, zone, span, onSelect, onReset, onPoint });
  inputs.current = { scene, colours: colours.current, zone, span, onSelect, onReset, onPoint };
  const columns = (): uPlot.AlignedData => [
    data.at,
    data.observed,
    data.q10,
    data.q50,
    data.q90,
    data.overlay,
    data.standing,
  ];

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(
      plotOptions({ width: element.clientWidth, height }, () => inputs.current),
      columns(),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [height]);

  useEffect(() => {
    plot.current?.batch(() => {
      plot.current?.setData(columns(), false);
      plot.current?.setScale("x", { min: span.from, max: span.to });
    });
  }, [data, span.from, span.to]);

  useEffect(() => {
    colours.current = readColours();
    inputs.current.colours = colours.current;
    plot.current?.redraw(false, true);
  }, [isDark, zone]);

  // The present moves on: only the lines over the data are drawn again.
  const pixel = present === null ? 0 : Math.round(((present - span.from) / (span.to - span.from)) * 800);
  useEffect(() => plot.current?.redraw(false, false), [pixel, props.scene.originLabel]);
  const { low = null, high = null } = props.scene.own ?? {};
  useEffect(() => plot.current?.redraw(true, true), [low, high]);
  useEffect(() => plot.current?.redraw(false, true), [props.scene.annotations]);

  const moveTo = (index: number) => {
    const made = plot.current;
    const at = data.at[index];
    if (made === null || at === undefined) return;
    point.current = index;
    made.setCursor({ left: made.valToPos(at, "x"), top: made.over.clientHeight / 2 });
    setSpoken(describePoint(data, index, { unit: props.scene.unit, zone, decimals: props.decimals }));
  };

  /** Marks from the point where it was asked for first to the one where it is asked for again. */
  const mark = (at: number | undefined) => {
    if (at === undefined) return;
    if (marked.current === null) {
      marked.current = at;
      setSpoken(`Marking from ${formatTime(at, zone, "dayClock")}. Walk to the last point and press m again.`);
      return;
    }
    const [from, to] = [Math.min(at, marked.current), Math.max(at, marked.current)];
    marked.current = null;
    onMark({ from, to: Math.max(to, from + grid.stepMs) });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const inside = data.at.flatMap((at, i) => (at >= span.from && at <= span.to ? [i] : []));
    const first = inside[0];
    const last = inside.at(-1);
    if (first === undefined || last === undefined) return;
    const start = nearest(data.at, data.origin ?? present ?? span.to);
    const now = point.current ?? start;
    const hour = Math.max(1, Math.round(3_600_000 / grid.stepMs));
    const center = data.at[now] ?? (span.from + span.to) / 2;
    const isShift = event.shiftKey;
    const go: Record<string, () => void> = {
      ArrowLeft: () => (isShift ? props.onSpan(pan(span, -0.25)) : moveTo(Math.max(first, now - 1))),
      ArrowRight: () => (isShift ? props.onSpan(pan(span, 0.25)) : moveTo(Math.min(last, now + 1))),
      PageUp: () => moveTo(Math.max(first, now - hour)),
      PageDown: () => moveTo(Math.min(last, now + hour)),
      Home: () => moveTo(first),
      End: () => moveTo(last),
      n: () => moveTo(Math.min(last, Math.max(first, start))),
      "+": () => props.onSpan(zoom(span, 0.5, center, grid)),
      "-": () => props.onSpan(zoom(span, 2, center, grid)),
      "0": props.onReset,
      m: () => mark(data.at[now]),
      Escape: () => {
        marked.current = null;
        point.current = null;
        plot.current?.setCursor({ left: -10, top: -10 });
      },
    };
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : go[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  return (
    <div
      class="chart"
      role="application"
      aria-roledescription="forecast chart"
      aria-label={`${props.name} chart. Left and right arrows walk the points, page up and down by the hour, n goes to the present, plus and minus zoom, zero resets, m marks a stretch to be annotated.`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a keyboard must reach the chart to walk it
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => {
        point.current = null;
      }}
      onWheel={(event) => {
        if (!event.ctrlKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
        event.preventDefault();
        if (event.ctrlKey) {
          const made = plot.current;
          const left = event.clientX - (made?.over.getBoundingClientRect().left ?? 0);
          props.onSpan(zoom(span, event.deltaY > 0 ? 1.25 : 0.8, made?.posToVal(left, "x") ?? span.to, grid));
        } else props.onSpan(pan(span, Math.max(-0.2, Math.min(0.2, event.deltaX / 800))));
      }}
    >
      <div ref={box} style={{ height: `${height}px` }} />
      <p class="sr-only" aria-live="polite">
        {spoken}
      </p>
    </div>
  );
}

/** Index of the last time that is not after `at`. */
function nearest(times: number[], at: number): number {
  let index = 0;
  for (let i = 0; i < times.length && times[i]! <= at; i++) index = i;
  return index;
}
