import Table from "cli-table3";
import { formatDuration } from "../../core/duration.ts";
import {
  type BacktestMethod,
  backtestMethods,
  type MethodMetrics,
  type SensorBacktest,
} from "../../core/evaluation/backtest.ts";
import { meanMetrics, median } from "../../core/evaluation/summary.ts";
import { lastLead, leadsText } from "../../core/model/leads.ts";

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

/** Per target and group of leads, medians over sensors of what is served against each of the others: MAE / pinball. */
export function printLeads(results: SensorBacktest[], stepSeconds: number): void {
  const beside = ["ridge", "persistence", "seasonalNaive", "climatology"] as const;
  const series = results.flatMap(({ metrics }) => metrics);
  const groups = series[0]?.byLeads.map(({ leads }) => leads) ?? [];
  const head = [
    "target",
    "leads",
    "ahead",
    "coverage",
    ...beside.map((name) => `against ${name}`),
    "best simple",
    "worst",
  ];
  const table = new Table({ head, ...style });
  for (const target of new Set(series.map((one) => one.target))) {
    for (const [g, leads] of groups.entries()) {
      const ofGroup = series.filter((one) => one.target === target).map(({ byLeads }) => byLeads[g]!.byMethod);
      const medianOf = (value: (one: MethodMetrics) => number) => number(median(ofGroup.map(value)), 3);
      const toBest = ofGroup.map(overBestSimple).filter((ratio) => !Number.isNaN(ratio));
      table.push([
        target,
        leadsText(leads),
        [leads[0]!, lastLead(leads)].map((lead) => formatDuration(lead * stepSeconds)).join(" to "),
        medianOf((one) => (one.online ?? one.lstm)?.coverage ?? Number.NaN),
        ...beside.map((name) => {
          const [mae, pinball] = (["mae", "pinball"] as const).map((key) => medianOf((one) => ratioOf(one, key, name)));
          return `${mae} / ${pinball}`;
        }),
        number(median(toBest), 3),
        number(Math.max(...toBest), 3),
      ]);
    }
  }
  console.log(table.toString());
}

/** MAE over that of the best of persistence, yesterday and the usual day. */
function overBestSimple(byMethod: MethodMetrics): number {
  const ratios = (["persistence", "seasonalNaive", "climatology"] as const).map((name) =>
    ratioOf(byMethod, "mae", name),
  );
  const known = ratios.filter((ratio) => !Number.isNaN(ratio));
  return known.length === 0 ? Number.NaN : Math.max(...known);
}

/** The served forecast's loss over the method's. */
function ratioOf(byMethod: MethodMetrics, key: "mae" | "pinball", method: BacktestMethod): number {
  return ((byMethod.online ?? byMethod.lstm)?.[key] ?? Number.NaN) / (byMethod[method]?.[key] ?? Number.NaN);
}

/** The method's loss over ridge's. */
function against(byMethod: MethodMetrics, key: "mae" | "pinball", method: BacktestMethod): number {
  return (byMethod[method]?.[key] ?? Number.NaN) / (byMethod.ridge?.[key] ?? Number.NaN);
}
