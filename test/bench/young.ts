// npm run bench:young -- --data FILE.csv[.gz] --step SECONDS --cut a,b [--cut c] [--days 1,3,7,14] [--at .5]
// [--judged 4] [--seed 1]: how good a young sensor's forecasts are. The sensors of each --cut lose all that lies more
// than so many days before the moment at this share of its first sensor's readings, the others keep theirs; all are
// trained as one fleet, and the days that follow are forecast as trained. A line of JSON for each history: MAE and
// pinball over persistence's, geometric means over the series, coverage and its extremes, and the worst series.
import { parseArgs } from "node:util";
import { type Readings, readingsBetween, sortReadings, type Target } from "../../core/data/reading.ts";
import { backtestSensor } from "../../core/evaluation/backtest.ts";
import type { BacktestInput } from "../../core/evaluation/planned.ts";
import type { SeriesMetrics } from "../../core/evaluation/summary.ts";
import { trainFleets } from "../../core/evaluation/trainings.ts";
import { defaultForecastSettings } from "../../core/forecast/settings.ts";
import { everyLead } from "../../core/model/leads.ts";
import { floorToStep } from "../../core/time.ts";
import { readReadings } from "../../functions/commands/csv-files.ts";
import { openFleets } from "../../functions/runtime/models.ts";

const text = { type: "string" } as const;
const { values } = parseArgs({
  options: {
    ...{ data: text, step: text, cut: { type: "string", multiple: true } },
    ...{ days: { ...text, default: "1,3,7,14" }, at: { ...text, default: "0.5" } },
    ...{ judged: { ...text, default: "4" }, seed: { ...text, default: "1" } },
  },
});
const dayMs = 86_400_000;
const stepSeconds = Number(values.step);
const leads = everyLead(24);
const targets: Target[] = [
  { name: "temperature", unit: "°C", min: -40, max: 85 },
  { name: "humidity", unit: "%", min: 0, max: 100 },
];
const settings = defaultForecastSettings({ stepSeconds, leads, targets }, "bench");
const { sensors } = await readReadings(values.data ?? "");
const whole = new Map([...sensors].map(([sensorId, readings]) => [sensorId, sortReadings(readings)]));
const [first] = whole.values();
const at = floorToStep(new Date(first!.at[Math.floor(Number(values.at) * first!.at.length)]!), stepSeconds).getTime();
const ports = await openFleets({ workers: 1 });

const meanOf = (some: number[]) => some.reduce((sum, one) => sum + one, 0) / some.length;
const geometricMean = (ratios: number[]) => Math.exp(meanOf(ratios.map(Math.log)));

/** The judged series of the sensors of one cut. */
async function judge(
  cut: string[],
  days: number,
): Promise<{ name: string; ours: SeriesMetrics; base: SeriesMetrics }[]> {
  const inputs = [...whole].map(([sensorId, readings]) => toInput(sensorId, readings, cut.includes(sensorId), days));
  const { trained, close } = await trainFleets(ports, settings, inputs, () => {});
  const series = [];
  for (const input of inputs.filter(({ plans }) => plans.size > 0)) {
    const { metrics, notes } = await backtestSensor(settings, input, await trained.get(input.sensorId)!, false);
    for (const note of notes) console.error(note);
    for (const { target, byMethod } of metrics) {
      series.push({ name: `${input.sensorId} ${target}`, ours: byMethod.lstm!, base: byMethod.persistence! });
    }
  }
  await close();
  return series;
}

function toInput(sensorId: string, readings: Readings, isCut: boolean, days: number): BacktestInput {
  const seed = Number(values.seed);
  if (!isCut) return { sensorId, readings, plans: new Map(), seed };
  const judgedMs = Number(values.judged) * dayMs;
  const strideMs = 7 * stepSeconds * 1000;
  const origins = Array.from({ length: Math.floor(judgedMs / strideMs) }, (_, i) => at + i * strideMs);
  const plan = { trainEnd: at - (days / 8) * dayMs, validationEnd: at, issuedAt: origins };
  const known = readingsBetween(readings, at - days * dayMs, at + judgedMs + dayMs);
  return { sensorId, readings: known, plans: new Map(targets.map(({ name }) => [name, plan])), seed };
}

for (const days of (values.days ?? "").split(",").map(Number)) {
  const series = [];
  for (const cut of values.cut ?? []) series.push(...(await judge(cut.split(","), days)));
  const ratios = series.map(({ ours, base }) => ours.mae / base.mae);
  const covered = series.map(({ ours }) => ours.coverage);
  const round = (value: number) => Number(value.toFixed(3));
  const worst = ratios.indexOf(Math.max(...ratios));
  const figures = {
    days,
    series: series.length,
    mae: round(geometricMean(ratios)),
    pinball: round(geometricMean(series.map(({ ours, base }) => ours.pinball / base.pinball))),
    coverage: round(meanOf(covered)),
    coverages: [round(Math.min(...covered)), round(Math.max(...covered))],
    worst: [series[worst]?.name, round(ratios[worst] ?? Number.NaN)],
  };
  console.log(JSON.stringify(figures));
}
