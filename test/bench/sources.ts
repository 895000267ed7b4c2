import { parseArgs } from "node:util";
import Table from "cli-table3";
import { gridIndex, toGrid } from "../../core/data/grid.ts";
import type { Quantiles } from "../../core/data/quantiles.ts";
import { type Readings, sortReadings } from "../../core/data/reading.ts";
import { backtestSensor } from "../../core/evaluation/backtest.ts";
import type { BacktestInput } from "../../core/evaluation/planned.ts";
import { splitGrid } from "../../core/evaluation/split.ts";
import { measureSeries, type SeriesMetrics } from "../../core/evaluation/summary.ts";
import { trainFleets } from "../../core/evaluation/trainings.ts";
import { defaultForecastSettings } from "../../core/forecast/settings.ts";
import { everyLead, lastLead } from "../../core/model/leads.ts";
import { readReadings } from "../../functions/commands/csv-files.ts";
import { openFleets } from "../../functions/runtime/models.ts";
import { variants } from "./sources/variants.ts";

// npm run bench:sources [-- --variants clean,on-change --sensors room1,room4 --online --every 4]: the shipped rooms as
// other kinds of sensors would have sent them, trained and forecast, against what the clean ones measured. The moments
// of the forecasts are the clean ones', so that nothing is left out for want of a reading.
const { values: options } = parseArgs({
  options: {
    variants: { type: "string", default: "clean,jittered,thinned,on-change,spiked,shifted" },
    sensors: { type: "string" },
    data: { type: "string", default: "models/datasets/uci_appliances_energy.csv.gz" },
    step: { type: "string", default: "600" },
    online: { type: "boolean", default: false },
    every: { type: "string", default: "1" },
  },
});
const targets = [
  { name: "temperature", unit: "°C", min: -40, max: 85 },
  { name: "humidity", unit: "%", min: 0, max: 100 },
];
const stepSeconds = Number(options.step);
const settings = defaultForecastSettings({ stepSeconds, leads: everyLead(24), targets }, "bench");
const { leads } = settings.fleet;
const file = await readReadings(options.data, options.sensors?.split(","));
const clean = new Map([...file.sensors].map(([id, readings]) => [id, sortReadings(readings)]));
const ports = await openFleets({ workers: 1 });

type Row = { metrics: SeriesMetrics[][]; planned: number; made: number; refused: string[] };

/** Per target, the metrics of each sensor. */
async function run(name: string): Promise<Row> {
  const inputs = [...clean].map(([sensorId, readings], i): BacktestInput => {
    const own = toGrid(readings, targets, stepSeconds);
    const plans = splitGrid(own, lastLead(leads));
    const every = Number(options.every);
    const thin = (issuedAt: number[]) => issuedAt.filter((_, j) => j % every === 0);
    return {
      sensorId,
      readings: sortReadings(variants[name]!(readings, i + 1)),
      seed: 1,
      plans: new Map(
        targets.flatMap(({ name: target }, k) => {
          const plan = plans[k];
          return plan ? [[target, { ...plan, issuedAt: thin(plan.issuedAt) }] as const] : [];
        }),
      ),
    };
  });
  const fleets = await trainFleets(ports, settings, inputs, () => {});
  const row: Row = { metrics: targets.map(() => []), planned: 0, made: 0, refused: [] };
  try {
    for (const input of inputs) {
      const trained = await fleets.trained.get(input.sensorId)!;
      const { forecasts, notes } = await backtestSensor(settings, input, trained, options.online);
      row.refused.push(...notes);
      const truth = toGrid(truthOf(name, clean.get(input.sensorId)!), targets, stepSeconds);
      targets.forEach(({ name: target }, k) => {
        const of = forecasts.filter((one) => one.target === target);
        row.planned += input.plans.get(target)?.issuedAt.length ?? 0;
        row.made += of.length;
        const origins = of.map(({ issuedAt }) => gridIndex(truth, issuedAt));
        const made: Quantiles[] = of;
        row.metrics[k]!.push(measureSeries(truth.columns[k]!, origins, leads, made, { trainEnd: 0, season: null }));
      });
    }
  } finally {
    await fleets.close();
  }
  return row;
}

/** A level that has shifted is what is to be forecast. */
function truthOf(name: string, readings: Readings): Readings {
  return name === "shifted" ? variants.shifted!(readings, 0) : readings;
}

const mean = (series: SeriesMetrics[], key: keyof SeriesMetrics) =>
  series.reduce((sum, one) => sum + one[key], 0) / series.length;
const head = [
  "variant",
  ...targets.flatMap(({ name }) => [`${name} MAE`, "to clean", "coverage", "width"]),
  "made",
  "CPU s",
];
const table = new Table({ head, style: { head: [], border: [] } });
let base: Row | null = null;
for (const name of options.variants.split(",")) {
  const from = process.cpuUsage();
  const row = await run(name);
  const { user, system } = process.cpuUsage(from);
  base ??= row;
  const first = base;
  const cells = row.metrics.flatMap((series, k) => {
    const mae = mean(series, "mae");
    const share = mae / mean(first.metrics[k]!, "mae") - 1;
    const change = `${share < 0 ? "" : "+"}${(100 * share).toFixed(1)} %`;
    return [mae.toFixed(4), change, mean(series, "coverage").toFixed(3), mean(series, "width").toFixed(3)];
  });
  table.push([name, ...cells, `${row.made} of ${row.planned}`, ((user + system) / 1e6).toFixed(0)]);
  for (const note of row.refused) console.error(`${name}: ${note}`);
  console.error(table.toString().split("\n").at(-2));
}
console.log(table.toString());
