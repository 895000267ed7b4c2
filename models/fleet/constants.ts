import { constantCount, type FleetEncoding } from "../../core/model/fleet/encoding.ts";
import type { History } from "../../core/model/history.ts";
import type { Scaler } from "../../core/model/manifest.ts";
import { stepsPerDay } from "../../core/time.ts";

/**
 * What the network is told of a sensor once and for all: per target the logs of `unexplained` [targets][constantLeads]
 * (ridge's error over the change's deviation), of the deviation of steps, of the day-on-day change and of the level in
 * usual changes, and the steps' lag-1 autocorrelation; then the log of the step.
 */
export function sensorConstants(
  encoding: FleetEncoding,
  history: History,
  end: number,
  { change, deviation }: Pick<Scaler, "change" | "deviation">,
  unexplained: number[][],
): Float32Array {
  const day = stepsPerDay(history.stepSeconds);
  const perTarget = unexplained.map((ratios, k) => {
    const step = changeMoments(history, k, 1, end);
    const daily = day === null ? null : changeMoments(history, k, day, end);
    const inChanges = (value: number) => logOf(value / change[k]!);
    return [
      ...ratios.map(logOf),
      inChanges(step.deviation),
      daily ? inChanges(daily.deviation) : 0,
      inChanges(deviation[k]!),
      step.autocorrelation,
    ];
  });
  const constants = [...perTarget.flat(), Math.log2(history.stepSeconds / 60) / 5];
  return Float32Array.from({ length: constantCount(encoding) }, (_, i) => constants[i]!);
}

const logLimit = 4;

function logOf(ratio: number): number {
  const log = Math.log(ratio);
  return Number.isFinite(log) ? Math.max(-logLimit, Math.min(logLimit, log)) : 0;
}

/** RMS of the changes over `steps`, and the correlation of neighbouring ones; of measured points before `end`. */
function changeMoments(history: History, k: number, steps: number, end: number) {
  const values = history.values[k]!;
  const isImputed = history.isImputed[k]!;
  let squares = 0;
  let count = 0;
  let products = 0;
  let pairs = 0;
  let before = Number.NaN;
  for (let t = steps; t < end; t++) {
    const isKnown = isImputed[t] === 0 && isImputed[t - steps] === 0;
    const difference = isKnown ? values[t]! - values[t - steps]! : Number.NaN;
    if (isKnown) {
      squares += difference * difference;
      count++;
      if (!Number.isNaN(before)) {
        products += difference * before;
        pairs++;
      }
    }
    before = difference;
  }
  const square = squares / Math.max(1, count);
  const autocorrelation = pairs > 0 && square > 0 ? products / pairs / square : 0;
  return { deviation: Math.sqrt(square), autocorrelation: Math.max(-1, Math.min(1, autocorrelation)) };
}
