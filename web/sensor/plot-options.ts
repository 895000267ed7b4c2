import uPlot from "uplot";
import { formatNumber, formatTime, type Zone } from "../format.ts";
import { tickDecimals } from "../plots/scale.ts";
import { lonePoints, valueRange } from "./chart-data.ts";
import type { Colours } from "./colours.ts";
import { paintBehind, paintOver, type Scene } from "./paint.ts";
import type { Span } from "./view.ts";

/** What the plot reads each time it draws, so that it need not be made anew. */
export type PlotInputs = {
  scene: Scene;
  colours: Colours;
  zone: Zone;
  span: Span;
  /** What is done with a stretch that was dragged over. */
  onSelect: (span: Span) => void;
  onReset: () => void;
  onPoint: (index: number | null) => void;
};

const hourMs = 3_600_000;

/**
 * Series: 1 observed, 2 q10, 3 q50, 4 q90, 5 overlay, 6 what stands between readings; the band lies between 4 and 2.
 */
export function plotOptions(size: { width: number; height: number }, inputs: () => PlotInputs): uPlot.Options {
  const colour = (name: keyof Colours) => () => inputs().colours[name];
  const axis: uPlot.Axis = {
    stroke: colour("muted"),
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
    grid: { stroke: colour("grid"), width: 1 },
    ticks: { show: false },
  };
  // Between far leads, which lie hours apart, nothing is missing.
  const ahead = (...of: Parameters<typeof line>): uPlot.Series => ({
    ...line(...of),
    spanGaps: true,
    points: { show: false },
  });
  const line = (label: string, stroke: keyof Colours, width: number, dash?: number[]): uPlot.Series => ({
    label,
    stroke: colour(stroke),
    width,
    ...(dash === undefined ? {} : { dash }),
    points: {
      show: true,
      size: 4,
      fill: colour(stroke),
      filter: (u, index, isShown) => (isShown ? lonePoints([...(u.data[index] ?? [])]) : null),
    },
  });
  return {
    ...size,
    ms: 1,
    padding: [8, 22, 0, 0],
    legend: { show: false },
    tzDate: (at) => (inputs().zone === "utc" ? uPlot.tzDate(new Date(at), "Etc/UTC") : new Date(at)),
    scales: {
      x: { time: true, auto: false, range: () => [inputs().span.from, inputs().span.to] },
      y: { range: (_u, low, high) => valueRange(low, high, inputs().scene.limits, inputs().scene.own) },
    },
    series: [
      {},
      line("Observed", "ink", 1.8),
      ahead("10 % quantile", "edge", 1, [1, 3]),
      ahead("Median", "future", 2.2, [7, 4]),
      ahead("90 % quantile", "edge", 1, [1, 3]),
      line("Earlier forecasts", "overlay", 1.6, [2, 3]),
      { ...line("Between readings", "muted", 1.2, [1, 3]), points: { show: false } },
    ],
    bands: [{ series: [4, 2], fill: colour("band") }],
    axes: [
      {
        ...axis,
        space: 70,
        size: 34,
        gap: 6,
        values: (_u, splits) => splits.map((at) => tick(at, splits, inputs().zone)),
      },
      {
        ...axis,
        size: 52,
        space: 44,
        gap: 8,
        values: (_u, splits) => {
          const step = Math.abs((splits[1] ?? 0) - (splits[0] ?? 0));
          const decimals = tickDecimals(step);
          return splits.map((value) => formatNumber(value, decimals));
        },
      },
    ],
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      sync: { key: "sensor", setSeries: false },
      points: { size: 8, width: 2 },
      bind: {
        dblclick: () => () => {
          inputs().onReset();
          return null;
        },
      },
    },
    hooks: {
      drawClear: [(u) => paintBehind(u, inputs().scene, inputs().colours)],
      draw: [(u) => paintOver(u, inputs().scene, inputs().colours)],
      setCursor: [(u) => inputs().onPoint(u.cursor.idx ?? null)],
      setSelect: [
        (u) => {
          const { left, width } = u.select;
          if (width < 10) return;
          inputs().onSelect({ from: u.posToVal(left, "x"), to: u.posToVal(left + width, "x") });
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/** The hour; the day at midnight and wherever ticks are a day or more apart. */
function tick(at: number, splits: number[], zone: Zone): string {
  const step = (splits[1] ?? at + hourMs) - (splits[0] ?? at);
  const clock = formatTime(at, zone, "clock");
  return step >= 24 * hourMs || clock === "00:00" ? formatTime(at, zone, "day") : clock;
}
