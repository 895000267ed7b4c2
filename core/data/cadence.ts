/** How a sensor's readings follow each other, as its newest ones tell. */
export type Cadence = {
  /** Median of the intervals between different moments; null with fewer than three. */
  medianSeconds: number | null;
  /**
   * "steady": most intervals are the median or a multiple of it (a reading was lost); "onChange": they are not, and
   * each reading differs from the one before; "irregular": they are not; "unknown": too few.
   */
  rhythm: "steady" | "onChange" | "irregular" | "unknown";
  /** Readings that share their moment with an earlier one. */
  duplicates: number;
  /** Intervals of more than 2.5 medians. */
  gaps: number;
  longestGapSeconds: number | null;
};

/** An interval this near to the median, as a share of it, counts as one: clocks and networks jitter. */
const tolerance = 0.25;
const steadyShare = 0.8;
const changeShare = 0.9;
const fewest = 3;

/** The rhythm of moments in epoch milliseconds, in any order, and the values measured at them, NaN aside. */
export function cadenceOf(at: Float64Array, values: Float64Array): Cadence {
  const order = Array.from(at.keys())
    .filter((i) => Number.isFinite(at[i]!) && !Number.isNaN(values[i]!))
    .sort((a, b) => at[a]! - at[b]!);
  const kept = order.filter((i, k) => k === 0 || at[i] !== at[order[k - 1]!]);
  const intervals = kept.slice(1).map((i, k) => (at[i]! - at[kept[k]!]!) / 1000);
  const medianSeconds = intervals.length < fewest - 1 ? null : medianOf(intervals);
  const gaps = medianSeconds === null ? [] : intervals.filter((seconds) => seconds > 2.5 * medianSeconds);
  return {
    medianSeconds,
    rhythm:
      medianSeconds === null
        ? "unknown"
        : rhythmOf(
            intervals,
            medianSeconds,
            kept.map((i) => values[i]!),
          ),
    duplicates: order.length - kept.length,
    gaps: gaps.length,
    longestGapSeconds: gaps.length === 0 ? null : Math.max(...gaps),
  };
}

function rhythmOf(intervals: number[], median: number, values: number[]): Cadence["rhythm"] {
  const steady = intervals.filter((seconds) => {
    const times = Math.max(1, Math.round(seconds / median));
    return Math.abs(seconds - times * median) <= tolerance * median;
  });
  if (steady.length >= steadyShare * intervals.length) return "steady";
  const changed = values.slice(1).filter((value, i) => value !== values[i]);
  return changed.length >= changeShare * intervals.length ? "onChange" : "irregular";
}

/** The lower of the two middle ones of an even number; NaN of none. */
export function medianOf(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
}

/** How a cadence suits a step: one that is longer leaves holes in the grid. */
export type StepFit = "fits" | "faster" | "slower" | "onChange" | "irregular" | "unknown";

/** `cadence` against the step; up to a tenth of jitter is none. */
export function fitToStep({ rhythm, medianSeconds }: Cadence, stepSeconds: number): StepFit {
  if (rhythm === "unknown" || medianSeconds === null) return "unknown";
  if (medianSeconds > 1.1 * stepSeconds && rhythm === "steady") return "slower";
  if (rhythm !== "steady") return medianSeconds <= stepSeconds / 2 ? "faster" : rhythm;
  return medianSeconds <= stepSeconds / 2 ? "faster" : "fits";
}

const niceSteps = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600,
  43_200, 86_400,
];

/**
 * The shortest step that divides a day evenly in round numbers and is not shorter than the cadence, a tenth of jitter
 * aside.
 */
export function niceStep(cadenceSeconds: number): number {
  return niceSteps.find((step) => step >= 0.9 * cadenceSeconds) ?? 86_400;
}
