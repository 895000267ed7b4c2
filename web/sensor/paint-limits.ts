import type uPlot from "uplot";
import type { Colours } from "./colours.ts";
import { type OwnLimits, type Stretch, stretchesBeyond } from "./limits.ts";

/** Over the lines: each limit, and what of the band ahead lies beyond it. Series 2 is q10, 4 is q90. */
export function paintOwnLimits(u: uPlot, own: OwnLimits | null, origin: number | null, unit: string, colours: Colours) {
  if (own?.high != null) paintLimit(u, own.high, "above", origin, unit, colours);
  if (own?.low != null) paintLimit(u, own.low, "below", origin, unit, colours);
}

function paintLimit(
  u: uPlot,
  limit: number,
  side: "above" | "below",
  origin: number | null,
  unit: string,
  colours: Colours,
): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  const isAbove = side === "above";
  const y = u.valToPos(limit, "y", true);
  const isShown = y >= bbox.top - 1 && y <= bbox.top + bbox.height + 1;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  if (isShown) {
    paintBandBeyond(u, y, isAbove, origin, colours);
    ctx.strokeStyle = colours.bad;
    ctx.lineWidth = 1.2 * ratio;
    ctx.setLineDash([5 * ratio, 3 * ratio]);
    line(ctx, bbox.left, bbox.left + bbox.width, y);
    ctx.setLineDash([]);
    ctx.lineWidth = 4 * ratio;
    for (const { from, to } of aheadBeyond(u, limit, side, origin)) {
      line(ctx, u.valToPos(from, "x", true), u.valToPos(to, "x", true), y);
    }
  }
  const edge = isAbove ? bbox.top + 18 * ratio : bbox.top + bbox.height - 6 * ratio;
  const text = `limit ${limit}${unit === "" ? "" : ` ${unit}`}${isShown ? "" : isAbove ? " ↑" : " ↓"}`;
  ctx.font = `600 ${11.5 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  ctx.lineWidth = 3 * ratio;
  ctx.lineJoin = "round";
  ctx.strokeStyle = colours.paper;
  ctx.fillStyle = colours.bad;
  const place = isShown ? Math.max(bbox.top + 16 * ratio, y - 3 * ratio) : edge;
  ctx.strokeText(text, bbox.left + 6 * ratio, place);
  ctx.fillText(text, bbox.left + 6 * ratio, place);
  ctx.restore();
}

/** Where the band's outer edge lies beyond the limit, after the origin. */
function aheadBeyond(u: uPlot, limit: number, side: "above" | "below", origin: number | null): Stretch[] {
  const [at, , low, , high] = u.data;
  const values = side === "above" ? high : low;
  if (at === undefined || values === undefined || origin === null) return [];
  const ahead = Array.from(values, (value, i) => (at[i]! >= origin ? value : null));
  return stretchesBeyond(Array.from(at), ahead, limit, side);
}

function paintBandBeyond(u: uPlot, y: number, isAbove: boolean, origin: number | null, colours: Colours): void {
  const { ctx, bbox } = u;
  const [at, , low, , high] = u.data;
  if (at === undefined || low === undefined || high === undefined || origin === null) return;
  const points = Array.from(at).flatMap((one, i) =>
    one >= origin && low[i] != null && high[i] != null ? [{ at: one, low: low[i], high: high[i] }] : [],
  );
  if (points.length < 2) return;
  const x = (one: number) => u.valToPos(one, "x", true);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, isAbove ? bbox.top : y, bbox.width, isAbove ? y - bbox.top : bbox.top + bbox.height - y);
  ctx.clip();
  ctx.beginPath();
  for (const point of points) ctx.lineTo(x(point.at), u.valToPos(point.high, "y", true));
  for (const point of points.toReversed()) ctx.lineTo(x(point.at), u.valToPos(point.low, "y", true));
  ctx.closePath();
  ctx.globalAlpha = 0.3;
  ctx.fillStyle = colours.bad;
  ctx.fill();
  ctx.restore();
}

function line(ctx: CanvasRenderingContext2D, from: number, to: number, y: number): void {
  ctx.beginPath();
  ctx.moveTo(from, y);
  ctx.lineTo(to, y);
  ctx.stroke();
}
