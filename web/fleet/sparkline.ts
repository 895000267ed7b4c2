import type { Points } from "./rows.ts";

/** SVG path data of one small chart in a box of `width` × `height`; pure. */
export type Spark = { past: string; dots: { x: number; y: number }[]; median: string; band: string; nowX: number };

/** Draws [from, to) with the present at `present`. Lines break where nothing was measured. */
export function sparkline(
  points: Points,
  span: { from: number; to: number; present: number },
  box: { width: number; height: number },
): Spark {
  const { history, forecast } = points;
  const values: number[] = [];
  history.at.forEach((at, i) => {
    const value = history.value[i];
    if (value != null && at >= span.from) values.push(value);
  });
  if (forecast !== null) values.push(...forecast.q10, ...forecast.q90);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = 2;
  const toX = (at: number) => round(((at - span.from) / (span.to - span.from)) * box.width);
  const toY = (value: number) =>
    high === low ? box.height / 2 : round(pad + (1 - (value - low) / (high - low)) * (box.height - 2 * pad));

  let past = "";
  const dots: Spark["dots"] = [];
  let last: { at: number; value: number } | null = null;
  let isOpen = false;
  history.at.forEach((at, i) => {
    const value = history.value[i];
    if (value == null || at < span.from) {
      isOpen = false;
      return;
    }
    const isAlone = !isOpen && history.value[i + 1] == null;
    if (isAlone) dots.push({ x: toX(at), y: toY(value) });
    else past += `${isOpen ? "L" : "M"}${toX(at)} ${toY(value)}`;
    isOpen = !isAlone;
    last = { at, value };
  });

  let median = "";
  let band = "";
  if (forecast !== null && forecast.at.length > 0) {
    const start = joint(last, forecast.at[0]!, forecast.at);
    const places = forecast.at.map((at, i) => ({ x: toX(at), i }));
    const up = places.map(({ x, i }) => `${x} ${toY(forecast.q90[i]!)}`);
    const down = places.map(({ x, i }) => `${x} ${toY(forecast.q10[i]!)}`).reverse();
    const from = start === null ? "" : `${toX(start.at)} ${toY(start.value)}`;
    median = `M${[from, ...places.map(({ x, i }) => `${x} ${toY(forecast.q50[i]!)}`)].filter(Boolean).join("L")}`;
    band = `M${[from, ...up, ...down].filter(Boolean).join("L")}Z`;
  }
  return { past, dots, median, band, nowX: toX(span.present) };
}

/** The last observation, when it is the forecast's origin (one step before its first point). */
function joint(last: { at: number; value: number } | null, first: number, at: number[]) {
  if (last === null || at.length < 2) return null;
  const step = at[1]! - at[0]!;
  return Math.abs(first - step - last.at) < step / 2 ? last : null;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
