import type uPlot from "uplot";
import type { Annotation } from "../client/client.ts";
import type { Colours } from "./colours.ts";

/** Behind the lines: each annotated stretch as a band, hatched where it is left out, with its kind and text. */
export function paintAnnotations(u: uPlot, annotations: Annotation[], colours: Colours): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  annotations.forEach((one, i) => {
    const left = Math.max(bbox.left, u.valToPos(Date.parse(one.from), "x", true));
    const end = one.to === null ? bbox.left + bbox.width : u.valToPos(Date.parse(one.to), "x", true);
    const right = Math.min(bbox.left + bbox.width, end);
    if (right <= left) return;
    const colour = one.disturbs ? colours.warn : colours.muted;
    ctx.globalAlpha = 0.12;
    ctx.fillStyle = colour;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.strokeStyle = colour;
    ctx.lineWidth = ratio;
    if (one.disturbs) hatch(ctx, left, right, bbox, 9 * ratio);
    ctx.globalAlpha = 1;
    write(ctx, one, { left, right, top: bbox.top + (22 + 15 * (i % 3)) * ratio }, colour, colours, ratio);
  });
  ctx.restore();
}

/** Lines that rise to the right: a pattern, and not a colour alone. */
function hatch(ctx: CanvasRenderingContext2D, left: number, right: number, bbox: uPlot.BBox, gap: number): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, bbox.top, right - left, bbox.height);
  ctx.clip();
  ctx.beginPath();
  for (let x = left - bbox.height; x < right; x += gap) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.globalAlpha = 0.35;
  ctx.stroke();
  ctx.restore();
}

type Place = { left: number; right: number; top: number };

function write(
  ctx: CanvasRenderingContext2D,
  { kind, text }: Annotation,
  { left, right, top }: Place,
  colour: string,
  colours: Colours,
  ratio: number,
): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top - 2 * ratio, Math.max(right - left, 0), 18 * ratio);
  ctx.clip();
  ctx.font = `600 ${11 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.lineWidth = 3 * ratio;
  ctx.lineJoin = "round";
  ctx.strokeStyle = colours.paper;
  ctx.fillStyle = colour;
  ctx.strokeText(`${kind}: ${text}`, left + 4 * ratio, top);
  ctx.fillText(`${kind}: ${text}`, left + 4 * ratio, top);
  ctx.restore();
}
