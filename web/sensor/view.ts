import { formatDuration } from "../format.ts";

/** What part of time the sensor page shows, as its URL says it. Pure; times in epoch milliseconds. */
const presets = ["fit", "24h", "3d", "7d"] as const;
export type Preset = (typeof presets)[number];
export type Span = { from: number; to: number };
/** `leads` in steps, ascending; `horizon` the last of them. */
export type Grid = { stepMs: number; horizon: number; leads: number[] };
export type View = {
  preset: Preset;
  /** Overrules the preset. */
  custom: Span | null;
  /** Forecast from this moment instead of the latest. */
  origin: number | null;
  /** Past forecasts of this lead, in steps, are laid over. */
  lead: number | null;
  isTable: boolean;
};

const dayMs = 86_400_000;
const presetMs: Record<Exclude<Preset, "fit">, number> = { "24h": dayMs, "3d": 3 * dayMs, "7d": 7 * dayMs };
/** The most grid points that one chart asks for. */
const mostPoints = 5_000;

export function readView(query: URLSearchParams): View {
  const time = (name: string) => {
    const at = Date.parse(query.get(name) ?? "");
    return Number.isFinite(at) ? at : null;
  };
  const from = time("from");
  const to = time("to");
  const lead = Number(query.get("lead"));
  return {
    preset: presets.find((one) => one === query.get("range")) ?? "fit",
    custom: from !== null && to !== null && from < to ? { from, to } : null,
    origin: time("origin"),
    lead: Number.isInteger(lead) && lead > 0 ? lead : null,
    isTable: query.get("view") === "table",
  };
}

/**
 * The span shown: up to the end of the horizon that starts at the chosen origin, or at the present.
 * "fit" gives two thirds to the past and one to the horizon.
 */
export function spanOf(view: View, present: number, grid: Grid): Span {
  const longest = mostPoints * grid.stepMs;
  if (view.custom !== null) {
    return { from: Math.max(view.custom.from, view.custom.to - longest), to: view.custom.to };
  }
  const anchor = floorTo(view.origin ?? present, grid.stepMs);
  const horizonMs = grid.horizon * grid.stepMs;
  const pastMs = pastOf(view.preset, grid);
  return { from: anchor - Math.min(pastMs, longest - horizonMs), to: anchor + horizonMs };
}

function pastOf(preset: Preset, grid: Grid): number {
  return preset === "fit" ? 2 * grid.horizon * grid.stepMs : presetMs[preset];
}

/** The presets that differ, shortest first, each with how far it looks back. */
export function presetsFor(grid: Grid): { preset: Preset; label: string }[] {
  const fit = pastOf("fit", grid);
  return presets
    .filter((preset) => preset === "fit" || pastOf(preset, grid) > fit)
    .map((preset) => ({
      preset,
      label: formatDuration(pastOf(preset, grid) / 1000),
    }));
}

/** Moved by `share` of its width; negative goes into the past. */
export function pan(span: Span, share: number): Span {
  const by = (span.to - span.from) * share;
  return { from: span.from + by, to: span.to + by };
}

/** Narrower (factor < 1) or wider around `center`, never under 6 steps or over the most that is loaded. */
export function zoom(span: Span, factor: number, center: number, grid: Grid): Span {
  const width = span.to - span.from;
  const wanted = Math.min(mostPoints * grid.stepMs, Math.max(6 * grid.stepMs, width * factor));
  const share = (center - span.from) / width;
  return { from: center - wanted * share, to: center + wanted * (1 - share) };
}

export function floorTo(at: number, stepMs: number): number {
  return Math.floor(at / stepMs) * stepMs;
}

/** Leads worth laying over, in steps: the first, then about 30 min, 1, 2, 4, 12, 24 h, and the last. */
export function leadChoices({ stepMs, leads }: Grid): number[] {
  const wanted = [0.5, 1, 2, 4, 12, 24].map((hours) => Math.round((hours * 3_600_000) / stepMs));
  return leads.filter((lead, i) => i === 0 || i === leads.length - 1 || wanted.includes(lead));
}
