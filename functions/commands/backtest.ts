import { parseArgs } from "node:util";
import { z } from "zod";
import { toGrid } from "../../core/data/grid.ts";
import { sortReadings, type Target } from "../../core/data/reading.ts";
import { AppError } from "../../core/errors.ts";
import { backtestSensor, boundsOf, type SensorBacktest } from "../../core/evaluation/backtest.ts";
import { type BacktestPlan, splitGrid } from "../../core/evaluation/split.ts";
import { defaultForecastSettings } from "../../core/forecast/settings.ts";
import { renewalGrowth } from "../../core/model/renewal.ts";
import type { Donor } from "../../core/model/training.ts";
import type { Log } from "../../core/ports.ts";
import { decimalText, integerText, seedText } from "../config/number.ts";
import { openInference, openMemoryStore, openTrainer } from "../runtime.ts";
import { printNotes, printSensors, printSummary } from "./backtest-report.ts";
import { openForecastsFile, type ReadingsFile, readPlan, readReadings } from "./csv-files.ts";
import { startProgress } from "./progress.ts";

const usage = `npm run backtest -- --data FILE.csv[.gz] --step SECONDS --out FORECASTS.csv.gz
  [--plan PLAN.csv[.gz]]      where to train, choose and forecast; without it 70/10/20
  [--sensors a,b]             these sensors only
  [--range name=min:max]      physical range of a target (temperature and humidity have theirs); may be repeated
  [--online]                  serve every step and learn mix and widths from the outcomes
  [--retrain 0.05]            ... and train a challenger when the history has grown by this share; 0: never
  [--horizon 24] [--seed 1] [--workers N]`;

const Options = z.object({
  data: z.string({ error: "--data is missing" }),
  step: integerText(1, 86_400),
  out: z.string({ error: "--out is missing" }),
  plan: z.string().optional(),
  sensors: z
    .string()
    .transform((text) => text.split(",").filter(Boolean))
    .optional(),
  range: z
    .array(z.string().regex(/^[^=]+=-?\d+(\.\d+)?:-?\d+(\.\d+)?$/, "--range wants name=min:max"))
    .default([])
    .transform(
      (ranges) => new Map(ranges.map((text) => [text.split("=")[0]!, text.split("=")[1]!.split(":").map(Number)])),
    ),
  horizon: integerText(1, 1_000).default(24),
  seed: seedText.default(1),
  workers: integerText(1, 256).optional(),
  online: z.boolean().default(false),
  retrain: decimalText({ min: 0, max: 1_000 }).default(renewalGrowth),
});
type Options = z.infer<typeof Options>;

const knownTargets: Record<string, Omit<Target, "name">> = {
  temperature: { unit: "°C", min: -40, max: 85 },
  humidity: { unit: "%", min: 0, max: 100 },
};
const anyValue = 1e12;

/** More than the models that a sensor can have in one backtest by far. */
const modelCache = 512;

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

async function backtest(options: Options, signal: AbortSignal): Promise<void> {
  const file = await readReadings(options.data);
  const plans = options.plan === undefined ? null : await readPlan(options.plan);
  const targets = targetsOf(file, options, plans);
  const settings = defaultForecastSettings(
    { stepSeconds: options.step, horizon: options.horizon, targets },
    "backtest",
  );
  const store = await openMemoryStore();
  const inference = await openInference({ modelCache }, store, silent);
  const trainer = await openTrainer(options.workers === undefined ? {} : { workers: options.workers });
  const ports = { store, inference, trainer };
  const known = plans === null ? [...file.sensors.keys()] : [...plans.keys()];
  const sensorIds = known.filter((sensorId) => options.sensors?.includes(sensorId) ?? true);
  const sorted = new Map([...file.sensors].map(([sensorId, readings]) => [sensorId, sortReadings(readings)]));
  const out = openForecastsFile(options.out);
  const progress = startProgress(sensorIds.length);
  try {
    const runs = sensorIds.map((sensorId) => {
      const readings = sorted.get(sensorId) ?? { at: new Float64Array(0), values: {} };
      const planned = plans?.get(sensorId) ?? ownPlan(readings, targets, options);
      const run = backtestSensor(
        ports,
        settings,
        {
          sensorId,
          readings,
          plans: planned,
          seed: options.seed,
          others: othersOf(sorted, sensorId),
          online: options.online ? { growth: options.retrain } : null,
        },
        (step) => progress.step(sensorId, step),
        signal,
      );
      return run
        .catch((error: unknown): SensorBacktest => {
          signal.throwIfAborted();
          const note = `${sensorId}: given up: ${error instanceof Error ? error.message : String(error)}`;
          return { sensorId, forecasts: [], metrics: [], notes: [note], cpuSeconds: null };
        })
        .finally(() => progress.sensorDone(sensorId));
    });
    // Written in the order of the plan; one that is stopped while another is awaited must not go unheard.
    for (const run of runs) run.catch(() => {});
    const results: SensorBacktest[] = [];
    for (const run of runs) {
      const result = await run;
      await out.write(result.sensorId, result.forecasts, options.step);
      results.push({ ...result, forecasts: [] });
    }
    progress.stop();
    printNotes(results);
    printSensors(results);
    printSummary(results);
    await out.close();
  } catch (error) {
    progress.stop();
    await out.abandon();
    throw error;
  } finally {
    await inference.close();
  }
}

/** The file's columns that hold numbers or that the plan asks for. */
function targetsOf(
  file: ReadingsFile,
  { data, range }: Options,
  plans: Map<string, Map<string, BacktestPlan>> | null,
): Target[] {
  const planned = new Set([...(plans?.values() ?? [])].flatMap((plan) => [...plan.keys()]));
  const isNumeric = (name: string) =>
    [...file.sensors.values()].some(({ values }) => values[name]?.some(Number.isFinite));
  const names = file.targets.filter((name) => planned.has(name) || isNumeric(name));
  const unknown = [...planned].filter((name) => !file.targets.includes(name));
  if (unknown.length > 0)
    throw new AppError("badInput", `the plan asks for ${unknown.join(", ")}, which ${data} lacks`);
  if (names.length === 0) throw new AppError("badInput", `${data} has no column with numbers`);
  return names.map((name) => {
    const target = { name, ...(knownTargets[name] ?? { unit: "", min: -anyValue, max: anyValue }) };
    const [min, max] = range.get(name) ?? [];
    return { ...target, min: min ?? target.min, max: max ?? target.max };
  });
}

function othersOf(sorted: Map<string, SortedReadings>, sensorId: string): Donor[] {
  return [...sorted].flatMap(([other, readings]) => (other === sensorId ? [] : [{ sensorId: other, readings }]));
}

function ownPlan(readings: SortedReadings, targets: Target[], { step, horizon }: Options): Map<string, BacktestPlan> {
  const grid = toGrid(readings, targets, step, boundsOf(readings, step));
  const plans = splitGrid(grid, horizon);
  return new Map(targets.flatMap(({ name }, k) => (plans[k] ? [[name, plans[k]] as const] : [])));
}
type SortedReadings = ReturnType<typeof sortReadings>;

const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new AppError("badInput", "stopped; nothing was written")));
try {
  const names = ["data", "step", "out", "plan", "sensors", "horizon", "seed", "workers", "retrain"] as const;
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(names.map((name) => [name, text])),
      range: { type: "string", multiple: true },
      online: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) console.log(usage);
  else {
    const options = Options.safeParse(values);
    if (!options.success) {
      const issues = options.error.issues.map(({ path, message }) => `--${path.join(".")}: ${message}`);
      throw new AppError("badInput", `${issues.join("; ")}\n${usage}`);
    }
    await backtest(options.data, stop.signal);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
