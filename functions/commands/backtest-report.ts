import Table from "cli-table3";
import { type BacktestMethod, backtestMethods, type SensorBacktest } from "../../core/evaluation/backtest.ts";
import { meanMetrics, median, type SeriesMetrics } from "../../core/evaluation/summary.ts";

const style = { style: { head: [], border: [] } };
const number = (value: number, digits: number) => (Number.isNaN(value) ? "-" : value.toFixed(digits));

/** Why forecasts are missing or by a baseline. */
export function printNotes(results: SensorBacktest[]): void {
  for (const note of results.flatMap(({ notes }) => notes)) console.log(note);
}

/** One line a series: the served forecasts against ridge and persistence. */
export function printSensors(results: SensorBacktest[]): void {
  const table = new Table({
    head: ["sensor", "target", "MAE", "pinball", "coverage", "MAE/ridge", "pinball/ridge", "MAE/persist.", "CPU s"],
    ...style,
  });
  for (const { sensorId, metrics, cpuSeconds } of results) {
    for (const { target, byMethod } of metrics) {
      if (Number.isNaN(byMethod.lstm?.mae)) continue;
      const ratio = (key: "mae" | "pinball", method: BacktestMethod) => ratioOf(byMethod, key, method);
      const best = byMethod.online ?? byMethod.lstm;
      table.push([
        sensorId,
        target,
        number(best?.mae ?? Number.NaN, 4),
        number(best?.pinball ?? Number.NaN, 4),
        number(best?.coverage ?? Number.NaN, 3),
        number(ratio("mae", "ridge"), 3),
        number(ratio("pinball", "ridge"), 3),
        number(ratio("mae", "persistence"), 3),
        cpuSeconds === null ? "-" : cpuSeconds.toFixed(1),
      ]);
    }
  }
  if (results.length > 0) console.log(table.toString());
}

/** Means over sensors per target and method, medians of the ratio to ridge, and the cost of training. */
export function printSummary(results: SensorBacktest[]): void {
  const table = new Table({
    head: [
      "target",
      "method",
      "sensors",
      "MAE",
      "RMSE",
      "MASE",
      "pinball",
      "coverage",
      "width",
      "MAE/ridge",
      "pinball/ridge",
    ],
    ...style,
  });
  const series = results.flatMap(({ metrics }) => metrics);
  for (const target of new Set(series.map((one) => one.target))) {
    const ofTarget = series.filter((one) => one.target === target).map(({ byMethod }) => byMethod);
    for (const method of backtestMethods) {
      const known = ofTarget.flatMap((byMethod) => byMethod[method] ?? []);
      if (known.length === 0) continue;
      const mean = meanMetrics(known);
      table.push([
        target,
        method,
        known.length,
        ...[mean.mae, mean.rmse, mean.mase, mean.pinball, mean.coverage, mean.width].map((value) => number(value, 4)),
        number(median(ofTarget.map((byMethod) => against(byMethod, "mae", method))), 3),
        number(median(ofTarget.map((byMethod) => against(byMethod, "pinball", method))), 3),
      ]);
    }
  }
  console.log(table.toString());
  const seconds = results.flatMap(({ cpuSeconds }) => cpuSeconds ?? []);
  if (seconds.length > 0) {
    const mean = seconds.reduce((sum, value) => sum + value, 0) / seconds.length;
    console.log(`training: ${mean.toFixed(1)} s of CPU per sensor (at most ${Math.max(...seconds).toFixed(1)} s)`);
  }
}

type ByMethod = Partial<Record<BacktestMethod, SeriesMetrics>>;

/** The served forecast's loss over the method's. */
function ratioOf(byMethod: ByMethod, key: "mae" | "pinball", method: BacktestMethod): number {
  return ((byMethod.online ?? byMethod.lstm)?.[key] ?? Number.NaN) / (byMethod[method]?.[key] ?? Number.NaN);
}

/** The method's loss over ridge's. */
function against(byMethod: ByMethod, key: "mae" | "pinball", method: BacktestMethod): number {
  return (byMethod[method]?.[key] ?? Number.NaN) / (byMethod.ridge?.[key] ?? Number.NaN);
}
