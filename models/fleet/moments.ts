import type { History } from "../../core/model/history.ts";
import type { Scaler } from "../../core/model/manifest.ts";

/** Normalisation of the series themselves, over measured points of [0, end); deviations and changes are positive. */
export function seriesScaler(history: History, end: number): Pick<Scaler, "mean" | "deviation" | "change"> {
  const perTarget = history.values.map((values, k) => {
    const isImputed = history.isImputed[k]!;
    const at = Array.from({ length: end }, (_, i) => i).filter((i) => isImputed[i] === 0);
    const level = moments(Float64Array.from(at, (i) => values[i]!));
    const changing = at.filter((i) => i >= changeSteps && isImputed[i - changeSteps] === 0);
    const change = moments(Float64Array.from(changing, (i) => values[i]! - values[i - changeSteps]!));
    // A part keeps it as float32: what is written from it on is written from the same number.
    return { mean: Math.fround(level.mean), deviation: level.deviation, change: change.deviation };
  });
  return {
    mean: perTarget.map(({ mean }) => mean),
    deviation: perTarget.map(({ deviation }) => deviation),
    change: perTarget.map(({ change }) => change),
  };
}

const changeSteps = 12;

/** Mean and standard deviation of what is finite; 0 of nothing, and 1 where nothing varies. */
export function moments(values: ArrayLike<number>): { mean: number; deviation: number } {
  let count = 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]!)) continue;
    sum += values[i]!;
    count++;
  }
  const mean = count === 0 ? 0 : sum / count;
  let squares = 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i]!)) squares += (values[i]! - mean) ** 2;
  const deviation = Math.sqrt(squares / Math.max(count, 1));
  const rounding = values instanceof Float32Array ? 1e-7 : 1e-14;
  return { mean, deviation: deviation > rounding * Math.max(1, Math.abs(mean)) ? deviation : 1 };
}
