import type uPlot from "uplot";
import type { Annotation } from "../client/client.ts";
import type { Colours } from "./colours.ts";
import type { OwnLimits } from "./limits.ts";
import { paintAnnotations } from "./paint-annotations.ts";
import { paintOwnLimits } from "./paint-limits.ts";

/** What is drawn on the canvas besides the lines; times in epoch milliseconds. */
export type Scene = {
  present: number | null;
  origin: number | null;
  isPast: boolean;
  originLabel: string;
  limits: { min: number; max: number };
  /** What a person wants it to stay within. */
  own: OwnLimits | null;
  unit: string;
  bandLabel: string;
  heldBack: { at: number; value: number }[];
  annotations: Annotation[];
};

/** Behind the lines: the future's wash, and what was annotated. */
export function paintBehind(u: uPlot, scene: Scene, colours: Colours): void {
  const { ctx, bbox } = u;
  const start = scene.origin ?? scene.present;
  if (start !== null) {
    const left = clampX(u, start);
    ctx.fillStyle = colours.wash;
    ctx.fillRect(left, bbox.top, bbox.left + bbox.width - left, bbox.height);
  }
  paintAnnotations(u, scene.annotations, colours);
}

/** Over the lines: the present, the origin of a past forecast, limits, and the band's name. */
export function paintOver(u: uPlot, scene: Scene, colours: Colours): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `600 ${11.5 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.textBaseline = "top";
  const scale = u.scales.y;
  for (const [limit, edge] of [
    [scene.limits.min, scale?.min],
    [scene.limits.max, scale?.max],
  ] as const) {
    if (limit !== edge) continue;
    const y = Math.round(u.valToPos(limit, "y", true)) + (limit === scene.limits.max ? 0.5 : -0.5);
    rule(ctx, bbox.left, y, bbox.left + bbox.width, y, colours.muted, ratio, [ratio, 3 * ratio]);
    ctx.textAlign = "left";
    label(
      ctx,
      `limit ${limit} ${scene.unit}`,
      bbox.left + 6 * ratio,
      y + (limit === scene.limits.max ? 5 : -18) * ratio,
      colours.muted,
      colours,
    );
  }
  const shown: { at: number; text: string; colour: string; dash: number[] }[] = [];
  if (scene.present !== null) shown.push({ at: scene.present, text: "now", colour: colours.ink, dash: [] });
  if (scene.isPast && scene.origin !== null) {
    shown.push({ at: scene.origin, text: scene.originLabel, colour: colours.future, dash: [6 * ratio, 3 * ratio] });
  }
  for (const { at, text, colour, dash } of shown) {
    if (at < (u.scales.x?.min ?? 0) || at > (u.scales.x?.max ?? 0)) continue;
    const x = Math.round(u.valToPos(at, "x", true)) + 0.5;
    rule(ctx, x, bbox.top, x, bbox.top + bbox.height, colour, 1.3 * ratio, dash);
    const isRight = x > bbox.left + bbox.width * 0.85;
    ctx.textAlign = isRight ? "right" : "left";
    label(ctx, text, x + (isRight ? -6 : 6) * ratio, bbox.top + 4 * ratio, colour, colours);
  }
  paintOwnLimits(u, scene.own, scene.origin, scene.unit, colours);
  paintBandName(u, scene, colours, ratio);
  paintHeldBack(u, scene, colours, ratio);
  ctx.restore();
}

/** A cross at each reading that was held back; at the edge where it lies beyond the axis. */
function paintHeldBack(u: uPlot, { heldBack }: Scene, colours: Colours, ratio: number): void {
  const { ctx, bbox } = u;
  const arm = 4 * ratio;
  for (const { at, value } of heldBack) {
    if (at < (u.scales.x?.min ?? 0) || at > (u.scales.x?.max ?? 0)) continue;
    const x = u.valToPos(at, "x", true);
    const y = Math.min(bbox.top + bbox.height - arm, Math.max(bbox.top + arm, u.valToPos(value, "y", true)));
    rule(ctx, x - arm, y - arm, x + arm, y + arm, colours.ink, 1.6 * ratio, []);
    rule(ctx, x - arm, y + arm, x + arm, y - arm, colours.ink, 1.6 * ratio, []);
  }
}

/** Written under the band's end, where the present's label cannot be. */
function paintBandName(u: uPlot, scene: Scene, colours: Colours, ratio: number): void {
  const [at, , low, , high] = u.data;
  if (at === undefined || low === undefined || high === undefined || scene.bandLabel === "") return;
  let end = -1;
  for (let i = at.length - 1; i >= 0 && end < 0; i--) {
    if (high[i] != null && low[i] != null && (at[i] ?? 0) <= (u.scales.x?.max ?? 0)) end = i;
  }
  const bottom = low[end];
  if (end < 0 || bottom == null || (at[end] ?? 0) < (u.scales.x?.min ?? 0)) return;
  const { ctx, bbox } = u;
  const y = Math.min(bbox.top + bbox.height - 15 * ratio, u.valToPos(bottom, "y", true) + 5 * ratio);
  ctx.textAlign = "right";
  const x = Math.min(bbox.left + bbox.width - 5 * ratio, u.valToPos(at[end] ?? 0, "x", true) - 2 * ratio);
  label(ctx, scene.bandLabel, x, y, colours.future, colours);
}

function clampX(u: uPlot, at: number): number {
  const { bbox } = u;
  return Math.min(bbox.left + bbox.width, Math.max(bbox.left, u.valToPos(at, "x", true)));
}

function rule(
  ctx: CanvasRenderingContext2D,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  colour: string,
  width: number,
  dash: number[],
): void {
  ctx.beginPath();
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
  ctx.setLineDash([]);
}

function label(
  ctx: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  colour: string,
  colours: Colours,
): void {
  ctx.lineWidth = 3 * devicePixelRatio;
  ctx.lineJoin = "round";
  ctx.strokeStyle = colours.paper;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}
