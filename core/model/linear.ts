import { stepsPerDay } from "../time.ts";
import { dayAngle, dayMeanAt, type History, weekMeanAt } from "./history.ts";
import type { FeatureSpec, Scaler } from "./manifest.ts";

/** A target's values or means, so many points after the origin; before it where that is negative. */
type Track = { of: "values" | "day" | "week"; target: number; at: number };

/**
 * A linear feature: one track less another, a level less the sensor's mean, or a wave of the time of day. All of them
 * have the same fields, whether they count or not: what looks alike is read three times as fast.
 */
type LinearTerm = { kind: "difference" | "level" | "sin" | "cos"; from: Track; less: Track; harmonic: number };

/** What of an encoding the linear features are written by. */
export type LinearEncoding = { features: FeatureSpec; scaler: Pick<Scaler, "mean"> };

/** Writes the raw linear features of one target into `out` at `offset`; missing is NaN. The place behind them. */
export function writeLinear(
  history: History,
  origin: number,
  { features, scaler }: LinearEncoding,
  target: number,
  out: Float32Array,
  offset: number,
): number {
  const day = stepsPerDay(history.stepSeconds) ?? 0;
  let at = offset;
  for (const { kind, from, less, harmonic } of termsOf(features, history.values.length, day)[target]!) {
    if (kind === "difference") out[at++] = trackAt(history, from, origin, day) - trackAt(history, less, origin, day);
    else if (kind === "level") out[at++] = trackAt(history, from, origin, day) - scaler.mean[from.target]!;
    else out[at++] = waveAt(history, origin, kind, harmonic);
  }
  return at;
}

/** Features of a target. */
export function linearColumns(history: History, { features }: LinearEncoding, target: number): LinearTerm[] {
  return termsOf(features, history.values.length, stepsPerDay(history.stepSeconds) ?? 0)[target]!;
}

/**
 * Writes one raw linear feature at the points [from, to) into `out` from 0 on, the numbers that `writeLinear` has for
 * each of them.
 */
export function writeColumn(
  history: History,
  { from, to }: { from: number; to: number },
  { scaler }: LinearEncoding,
  term: LinearTerm,
  out: Float32Array,
): void {
  const { kind } = term;
  if (kind === "sin" || kind === "cos") {
    for (let t = from; t < to; t++) out[t - from] = waveAt(history, t, kind, term.harmonic);
    return;
  }
  const day = stepsPerDay(history.stepSeconds) ?? 0;
  const own = seriesOf(history, term.from);
  const less = kind === "level" ? null : seriesOf(history, term.less);
  if (own === null || (kind === "difference" && less === null)) {
    const mean = kind === "level" ? scaler.mean[term.from.target]! : 0;
    for (let t = from; t < to; t++) {
      const taken = kind === "level" ? mean : trackAt(history, term.less, t, day);
      out[t - from] = trackAt(history, term.from, t, day) - taken;
    }
    return;
  }
  const shift = term.from.at;
  const lessShift = kind === "level" ? 0 : term.less.at;
  // Outside a series nothing is known.
  const first = Math.max(from, -shift, -lessShift);
  const last = Math.min(to, own.length - shift, less === null ? to : less.length - lessShift);
  out.fill(Number.NaN, 0, to - from);
  if (less === null) {
    const mean = scaler.mean[term.from.target]!;
    for (let t = first; t < last; t++) out[t - from] = own[t + shift]! - mean;
  } else {
    for (let t = first; t < last; t++) out[t - from] = own[t + shift]! - less[t + lessShift]!;
  }
}

/** Of each list of features the terms, per target: they are the same for all its sensors. */
const known = new WeakMap<FeatureSpec, { targets: number; day: number; terms: LinearTerm[][] }>();

function termsOf(spec: FeatureSpec, targets: number, day: number): LinearTerm[][] {
  const found = known.get(spec);
  if (found?.targets === targets && found.day === day) return found.terms;
  const terms = Array.from({ length: targets }, (_, target) => termsOfTarget(spec, target, targets, day));
  known.set(spec, { targets, day, terms });
  return terms;
}

function termsOfTarget(spec: FeatureSpec, target: number, targets: number, day: number): LinearTerm[] {
  const now = track("values", target, 0);
  const terms = spec.lags.map((lag) => difference(track("values", target, -lag), now));
  terms.push(level(now));
  if (spec.useDay) {
    const yesterday = track("values", target, -day);
    terms.push(difference(yesterday, now), difference(track("day", target, 0), now));
    for (const lead of spec.dayLeads) terms.push(difference(track("values", target, lead - day), yesterday));
  }
  for (const lead of spec.profileLeads) terms.push(difference(track("week", target, lead), now));
  for (let other = 0; other < targets; other++) {
    if (other === target) continue;
    const its = track("values", other, 0);
    terms.push(level(its));
    if (spec.useDay) terms.push(difference(track("day", other, 0), its));
    for (const lag of spec.otherLags) terms.push(difference(track("values", other, -lag), its));
  }
  for (let harmonic = 1; harmonic <= spec.harmonics; harmonic++) {
    for (const kind of ["sin", "cos"] as const) terms.push({ kind, from: now, less: now, harmonic });
  }
  return terms;
}

function track(of: Track["of"], target: number, at: number): Track {
  return { of, target, at };
}

function difference(from: Track, less: Track): LinearTerm {
  return { kind: "difference", from, less, harmonic: 0 };
}

function level(from: Track): LinearTerm {
  return { kind: "level", from, less: from, harmonic: 0 };
}

/** All that is known of a track's kind, by point; null where it is worked out as it is asked for. */
function seriesOf({ values, days }: History, { of, target }: Track): Float64Array | null {
  return of === "values" ? values[target]! : (days?.[of][target] ?? null);
}

function trackAt(history: History, { of, target, at }: Track, origin: number, day: number): number {
  if (of === "values") return history.values[target]![origin + at]!;
  return of === "day" ? dayMeanAt(history, target, origin + at, day) : weekMeanAt(history, target, origin + at, day);
}

function waveAt(history: History, t: number, wave: "sin" | "cos", harmonic: number): number {
  const angle = harmonic * dayAngle(history, t);
  return wave === "sin" ? Math.sin(angle) : Math.cos(angle);
}
