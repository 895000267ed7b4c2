import { parseArgs } from "node:util";
import * as z from "zod";
import { toGrid } from "../../core/data/grid.ts";
import { sortReadings, type Target } from "../../core/data/reading.ts";
import { AppError } from "../../core/errors.ts";
import { backtestSensor, type SensorBacktest } from "../../core/evaluation/backtest.ts";
import { type BacktestInput, boundsOf } from "../../core/evaluation/planned.ts";
import { type BacktestPlan, splitGrid } from "../../core/evaluation/split.ts";
import { type Trained, trainFleets } from "../../core/evaluation/trainings.ts";
import { defaultForecastSettings, type ForecastSettings } from "../../core/forecast/settings.ts";
import { everyLead, lastLead } from "../../core/model/leads.ts";
import { leadsText } from "../config/leads.ts";
import { integerText, seedText } from "../config/number.ts";
import { openFleets } from "../runtime/models.ts";
import { printLeads, printNotes, printSensors, printSummary } from "./backtest-report.ts";
import { openForecastsFile, type ReadingsFile, readPlan, readReadings } from "./csv-files.ts";
import { startProgress } from "./progress.ts";

const usage = `npm run backtest -- --data FILE.csv[.gz] --step SECONDS --out FORECASTS.csv.gz
  [--plan PLAN.csv[.gz]]      where to train, choose and forecast; without it 70/10/20
  [--sensors a,b]             these sensors only
  [--range name=min:max]      physical range of a target (temperature and humidity have theirs); may be repeated
  [--online]                  serve every step, learn mix and widths from the outcomes, and train again as
                              the history grows
  [--leads 1-24,30-144/6]     which future steps; without it each to 24
  [--horizon 24]              instead of --leads: each step up to this one
  [--seed 1] [--workers N]`;

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
  leads: leadsText.optional(),
  horizon: integerText(1, 1_000).optional(),
  seed: seedText.default(1),
  workers: integerText(1, 256).optional(),
  online: z.boolean().default(false),
});
type Options = z.infer<typeof Options>;

const knownTargets: Record<string, Omit<Target, "name">> = {
  temperature: { unit: "°C", min: -40, max: 85 },
  humidity: { unit: "%", min: 0, max: 100 },
};
const anyValue = 1e12;

async function backtest(options: Options, signal: AbortSignal): Promise<void> {
  const file = await readReadings(options.data);
  for (const note of file.notes) console.error(`! ${note}`);
  const plans = options.plan === undefined ? null : await readPlan(options.plan);
  const targets = targetsOf(file, options, plans);
  const settings = defaultForecastSettings({ stepSeconds: options.step, leads: leadsOf(options), targets }, "backtest");
  const known = plans === null ? [...file.sensors.keys()] : [...plans.keys()];
  const isJudged = (sensorId: string) => known.includes(sensorId) && (options.sensors?.includes(sensorId) ?? true);
  const inputs = [...new Set([...known, ...file.sensors.keys()])].map((sensorId): BacktestInput => {
    const readings = sortReadings(file.sensors.get(sensorId) ?? { at: new Float64Array(0), values: {} });
    const planned = () => plans?.get(sensorId) ?? ownPlan(readings, targets, options);
    return { sensorId, readings, plans: isJudged(sensorId) ? planned() : new Map(), seed: options.seed };
  });
  const judged = inputs.filter(({ sensorId }) => isJudged(sensorId));
  const ports = await openFleets(options.workers === undefined ? {} : { workers: options.workers });
  const out = openForecastsFile(options.out);
  const progress = startProgress(judged.length);
  const fleets = await trainFleets(
    ports,
    settings,
    inputs,
    (sensorIds, step) => {
      for (const sensorId of sensorIds) progress.step(sensorId, step);
    },
    { isOnline: options.online, signal },
  );
  try {
    const runs = judged.map((input) =>
      backtestOne(settings, input, fleets.trained.get(input.sensorId), options, signal),
    );
    // Written in the order of the plan; one that is stopped while another is awaited must not go unheard.
    for (const run of runs) run.catch(() => {});
    const results: SensorBacktest[] = [];
    for (const [i, run] of runs.entries()) {
      const result = await run;
      progress.sensorDone(judged[i]!.sensorId);
      await out.write(result.sensorId, result.forecasts, { step: options.step, leads: settings.fleet.leads });
      results.push({ ...result, forecasts: [] });
    }
    progress.stop();
    printNotes(results);
    printSensors(results);
    printSummary(results);
    printLeads(results, options.step);
    await out.close();
  } catch (error) {
    progress.stop();
    await out.abandon();
    throw error;
  } finally {
    await fleets.close();
  }
}

async function backtestOne(
  settings: ForecastSettings,
  input: BacktestInput,
  training: Promise<Trained> | undefined,
  { online }: Options,
  signal: AbortSignal,
): Promise<SensorBacktest> {
  try {
    return await backtestSensor(settings, input, (await training) ?? { sensor: null, notes: [] }, online);
  } catch (error) {
    signal.throwIfAborted();
    const note = `${input.sensorId}: given up: ${error instanceof Error ? error.message : String(error)}`;
    return { sensorId: input.sensorId, forecasts: [], metrics: [], notes: [note], cpuSeconds: null };
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

function leadsOf({ leads, horizon }: Options): number[] {
  if (leads && horizon) throw new AppError("badInput", "--leads and --horizon both say which steps: leave one out");
  return leads ?? everyLead(horizon ?? 24);
}

function ownPlan(readings: SortedReadings, targets: Target[], options: Options): Map<string, BacktestPlan> {
  const { step } = options;
  const grid = toGrid(readings, targets, step, boundsOf(readings, step));
  const plans = splitGrid(grid, lastLead(leadsOf(options)));
  return new Map(targets.flatMap(({ name }, k) => (plans[k] ? [[name, plans[k]] as const] : [])));
}
type SortedReadings = ReturnType<typeof sortReadings>;

const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new AppError("badInput", "stopped; nothing was written")));
try {
  const names = ["data", "step", "out", "plan", "sensors", "leads", "horizon", "seed", "workers"] as const;
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
