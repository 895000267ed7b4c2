import { stepsPerDay } from "../time.ts";
import { dayAngle, dayMeanAt, type History, weekMeanAt } from "./history.ts";
import type { FeatureSpec, Scaler } from "./manifest.ts";

/** A target's values or means, so many points after the origin; before it where that is negative. */
type Track = { of: "values" | "day" | "week"; target: number; at: number };

/** A linear feature: one track less another, a level less the sensor's mean, or a wave of the time of day. */
type LinearTerm =
  | { kind: "difference"; from: Track; less: Track }
  | { kind: "level"; from: Track }
  | { kind: "wave"; harmonic: number; wave: "sin" | "cos" };

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
  for (const term of termsOf(features, history.values.length, day)[target]!) {
    if (term.kind === "difference")
      out[at++] = trackAt(history, term.from, origin, day) - trackAt(history, term.less, origin, day);
    else if (term.kind === "level")
      out[at++] = trackAt(history, term.from, origin, day) - scaler.mean[term.from.target]!;
    else out[at++] = waveAt(history, origin, term);
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
  if (term.kind === "wave") {
    for (let t = from; t < to; t++) out[t - from] = waveAt(history, t, term);
    return;
  }
  const day = stepsPerDay(history.stepSeconds) ?? 0;
  const own = seriesOf(history, term.from);
  const less = term.kind === "level" ? null : seriesOf(history, term.less);
  if (own === null || (term.kind === "difference" && less === null)) {
    const mean = term.kind === "level" ? scaler.mean[term.from.target]! : 0;
    for (let t = from; t < to; t++) {
      const taken = term.kind === "level" ? mean : trackAt(history, term.less, t, day);
      out[t - from] = trackAt(history, term.from, t, day) - taken;
    }
    return;
  }
  const shift = term.from.at;
  const lessShift = term.kind === "level" ? 0 : term.less.at;
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
  const now: Track = { of: "values", target, at: 0 };
  const terms: LinearTerm[] = spec.lags.map((lag) => difference({ ...now, at: -lag }, now));
  terms.push({ kind: "level", from: now });
  if (spec.useDay) {
    const yesterday = { ...now, at: -day };
    terms.push(difference(yesterday, now), difference({ ...now, of: "day" }, now));
    for (const lead of spec.dayLeads) terms.push(difference({ ...now, at: lead - day }, yesterday));
  }
  for (const lead of spec.profileLeads) terms.push(difference({ of: "week", target, at: lead }, now));
  for (let other = 0; other < targets; other++) {
    if (other === target) continue;
    const its: Track = { of: "values", target: other, at: 0 };
    terms.push({ kind: "level", from: its });
    if (spec.useDay) terms.push(difference({ ...its, of: "day" }, its));
    for (const lag of spec.otherLags) terms.push(difference({ ...its, at: -lag }, its));
  }
  for (let harmonic = 1; harmonic <= spec.harmonics; harmonic++) {
    terms.push({ kind: "wave", harmonic, wave: "sin" }, { kind: "wave", harmonic, wave: "cos" });
  }
  return terms;
}

function difference(from: Track, less: Track): LinearTerm {
  return { kind: "difference", from, less };
}

/** All that is known of a track's kind, by point; null where it is worked out as it is asked for. */
function seriesOf({ values, days }: History, { of, target }: Track): Float64Array | null {
  return of === "values" ? values[target]! : (days?.[of][target] ?? null);
}

function trackAt(history: History, { of, target, at }: Track, origin: number, day: number): number {
  if (of === "values") return history.values[target]![origin + at]!;
  return of === "day" ? dayMeanAt(history, target, origin + at, day) : weekMeanAt(history, target, origin + at, day);
}

function waveAt(history: History, t: number, { harmonic, wave }: { harmonic: number; wave: "sin" | "cos" }): number {
  const angle = harmonic * dayAngle(history, t);
  return wave === "sin" ? Math.sin(angle) : Math.cos(angle);
}
