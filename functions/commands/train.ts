import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { z } from "zod";
import { ratesOfCounters } from "../../core/data/counter.ts";
import { sortReadings, type Target } from "../../core/data/reading.ts";
import { AppError } from "../../core/errors.ts";
import type { ModelManifest } from "../../core/model/manifest.ts";
import { isShortHistory, pickDonors } from "../../core/model/short-history.ts";
import type { TrainProgress } from "../../core/model/training.ts";
import { train } from "../../core/operations/train.ts";
import type { Trainer } from "../../core/ports.ts";
import { addSeconds, floorToStep } from "../../core/time.ts";
import { type Config, loadConfig } from "../config/environment.ts";
import { integerText, seedText } from "../config/number.ts";
import { settingsOf } from "../config/settings.ts";
import { readSources, targetsOf } from "../config/source.ts";
import { openClock, openCommandRuntime, openFolder, openFollower, openTrainer } from "../runtime.ts";
import { readReadings } from "./csv-files.ts";
import { startProgress } from "./progress.ts";

const usage = `npm run train [-- --sensor ID]...            trains from the follower; a first model serves at once, another is a challenger
npm run train -- --data FILE.csv[.gz] --out FOLDER   trains from a file: one artefact a sensor, registered nowhere
  [--until TIME]              only readings up to then (ISO-8601)
  [--sensor ID]               this sensor only; may be repeated
  [--workers N]               sensors at a time; the number of cores unless given
  [--seed 1]                  with --data
  [--engine simd128|relaxed]  simd128 gives the same bits on every machine; the fastest unless given`;

const Options = z
  .object({
    sensor: z.array(z.string().min(1)).default([]),
    workers: integerText(1, 256).optional(),
    engine: z.enum(["simd128", "relaxed"]).optional(),
    seed: seedText.default(1),
    data: z.string().optional(),
    out: z.string().optional(),
    until: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(({ data, out }) => (data === undefined) === (out === undefined), "--data and --out go together")
  .refine(({ data, until }) => data !== undefined || until === undefined, "--until goes with --data");
type Options = z.infer<typeof Options>;

/** What became of one sensor: a line of the closing table. */
type Trained = { sensorId: string; result: string; manifest: ModelManifest | null };

/** Trains the sensors of the follower as the schedule would, all cores at once. */
async function trainFleet(given: Config, options: Options, trainer: Trainer, signal: AbortSignal): Promise<Trained[]> {
  await using opened = new AsyncDisposableStack();
  const { config, ports: others } = await openCommandRuntime(given, opened);
  const { follower, targets, database } = await openFollower(
    config,
    { log: others.log, clock: openClock(config, null) },
    4,
  );
  opened.defer(() => database.close());
  const { newestReadingAt } = await follower.state();
  if (!newestReadingAt) throw new AppError("badInput", "the source has no reading yet: nothing to train from");
  // The demo's models live in the demo's time.
  const clock = openClock(config, given.followerDatabaseUrl === null ? newestReadingAt : null);
  const settings = settingsOf(config, targets);
  const slot = floorToStep(clock.now(), config.stepSeconds);
  const known = await follower.listSensors(addSeconds(slot, -settings.train.historySeconds));
  const sensorIds = pick(known, options.sensor);
  const ports = { ...others, clock, follower, trainer };
  const holder = `train-command/${randomUUID()}`;
  // Awaited here: what is opened above must outlive it.
  return await eachSensor(sensorIds, signal, async (sensorId, onProgress) => {
    const message = { sensorId, slot, reason: "requested" } as const;
    const outcome = await train(ports, settings.train, message, { holder, onProgress, signal });
    if (outcome.status === "busy") return { sensorId, result: "busy: it is being trained elsewhere", manifest: null };
    if (outcome.status === "refused") {
      return { sensorId, result: `no model: ${outcome.reason}: ${outcome.message}`, manifest: null };
    }
    const model = await ports.registry.get(outcome.modelId);
    return { sensorId, result: `${outcome.status}: ${outcome.reason}`, manifest: model?.manifest ?? null };
  });
}

/** Trains from a file into a folder; what lies there under the same model id stays. */
async function trainFile(config: Config, options: Options, trainer: Trainer, signal: AbortSignal): Promise<Trained[]> {
  const { data = "", out = "", seed } = options;
  const file = await readReadings(data);
  for (const note of file.notes) console.error(`! ${note}`);
  const targets: Target[] = targetsOf(await readSources(config.sourceConfig));
  const missing = targets.find(({ name }) => !file.targets.includes(name));
  if (missing) throw new AppError("badInput", `${data} has no column ${missing.name}, a target of SOURCE_CONFIG`);
  const sensors = new Map([...file.sensors].map(([id, readings]) => [id, ratesOfCounters(readings, targets)]));
  const until = options.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(options.until);
  const store = await openFolder(out);
  const { stepSeconds, horizon, codeVersion } = config;
  const others = (sensorId: string) =>
    [...sensors]
      .filter(([other]) => other !== sensorId)
      .map(([other, readings]) => ({ sensorId: other, readings: sortReadings(readings) }));
  return eachSensor(pick([...sensors.keys()], options.sensor), signal, async (sensorId, onProgress) => {
    const { at, values } = sensors.get(sensorId)!;
    const kept = (column: Float64Array) => column.filter((_, i) => at[i]! <= until);
    const readings = {
      at: kept(at),
      values: Object.fromEntries(Object.entries(values).map(([name, column]) => [name, kept(column)])),
    };
    const now = new Date(readings.at.reduce((a, b) => Math.max(a, b), 0));
    const donors = isShortHistory(readings, stepSeconds, now) ? pickDonors(others(sensorId), stepSeconds, now) : [];
    const request = { sensorId, readings, donors, targets, stepSeconds, horizon, seed, now, codeVersion };
    const result = await trainer.train(request, onProgress, signal);
    if (!result.ok) return { sensorId, result: `no model: ${result.message}`, manifest: null };
    await store.put(result.artefact);
    return { sensorId, result: join(out, result.artefact.manifest.modelId), manifest: result.artefact.manifest };
  });
}

async function eachSensor(
  sensorIds: string[],
  signal: AbortSignal,
  work: (sensorId: string, onProgress: (step: TrainProgress) => void) => Promise<Trained>,
): Promise<Trained[]> {
  const progress = startProgress(sensorIds.length);
  try {
    return await Promise.all(
      sensorIds.map(async (sensorId) => {
        const done = await work(sensorId, (step) => progress.step(sensorId, step)).catch((error: unknown): Trained => {
          signal.throwIfAborted();
          const result = `failed: ${error instanceof Error ? error.message : String(error)}`;
          process.exitCode = 1;
          return { sensorId, result, manifest: null };
        });
        progress.sensorDone(sensorId);
        return done;
      }),
    );
  } finally {
    progress.stop();
  }
}

function pick(known: string[], wanted: string[]): string[] {
  if (wanted.length === 0) return known;
  const unknown = wanted.filter((sensorId) => !known.includes(sensorId));
  if (unknown.length === 0) return wanted;
  throw new AppError(
    "notFound",
    `no readings of sensor ${unknown.join(", ")}; known are ${known.slice(0, 20).join(", ")}`,
  );
}

/** Validation errors against ridge's, in the target's unit, and what the training cost. */
function tableOf(trained: Trained[]): string {
  const head = ["sensor", "target", "MAE", "ridge", "persistence", "coverage", "CPU s", "result"];
  const table = new Table({ head, style: { head: [], border: [] }, wordWrap: true });
  for (const { sensorId, manifest, result } of trained) {
    const rows = Object.entries(manifest?.metrics ?? {});
    if (!manifest || rows.length === 0) table.push([sensorId, "", "", "", "", "", "", result]);
    rows.forEach(([target, { mae, ridgeMae, persistenceMae, coverage }], i) => {
      const figures = [mae, ridgeMae, persistenceMae].map((value) => value.toFixed(3));
      const cpu = i === 0 ? manifest!.training.cpuSeconds.toFixed(1) : "";
      table.push([i === 0 ? sensorId : "", target, ...figures, coverage.toFixed(2), cpu, i === 0 ? result : ""]);
    });
  }
  return table.toString();
}

const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new AppError("badInput", "stopped; trainings under way left nothing behind")));
try {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      sensor: { type: "string", multiple: true },
      ...{ workers: text, engine: text, seed: text, data: text, out: text, until: text },
      help: { type: "boolean" },
    },
  });
  if (values.help) console.log(usage);
  else {
    const options = Options.safeParse(values);
    if (!options.success) throw new AppError("badInput", `${z.prettifyError(options.error)}\n${usage}`);
    const { workers, engine, data } = options.data;
    const trainer = await openTrainer({ ...(workers ? { workers } : {}), ...(engine ? { build: engine } : {}) });
    const run = data === undefined ? trainFleet : trainFile;
    console.log(tableOf(await run(await loadConfig(), options.data, trainer, stop.signal)));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
