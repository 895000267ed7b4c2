import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import * as z from "zod";
import { ratesOfCounters } from "../../core/data/counter.ts";
import { type Readings, sortReadings, type Target } from "../../core/data/reading.ts";
import { AppError } from "../../core/errors.ts";
import type { FleetResult } from "../../core/model/fleet/training.ts";
import type { ModelManifest } from "../../core/model/manifest.ts";
import type { TrainProgress } from "../../core/model/training.ts";
import { storeFleet } from "../../core/operations/admit-fleet.ts";
import { type TrainFleetOutcome, trainFleets, trainSensors } from "../../core/operations/train-fleet.ts";
import { addSeconds, floorToStep } from "../../core/time.ts";
import type { EngineBuild } from "../../models/engine/engine.ts";
import { type Config, loadConfig } from "../config/environment.ts";
import { seedText } from "../config/number.ts";
import { settingsOf } from "../config/settings.ts";
import { readSources, targetsOf } from "../config/source.ts";
import { openFollower } from "../runtime/follower.ts";
import { openFleetPorts, openFolder, saveFleetSensors } from "../runtime/models.ts";
import { openClock, openLog } from "../runtime/process.ts";
import { openCommandRuntime } from "../runtime.ts";
import { readReadings } from "./csv-files.ts";
import { startProgress } from "./progress.ts";

const usage = `npm run train                                        trains the fleet of the follower: a network, and a part for each sensor
npm run train -- --sensor ID [--sensor ID]...        gives these their parts by the fleet's network, in a second
npm run train -- --data FILE.csv[.gz] --out FOLDER   trains a fleet from a file; registered nowhere
  [--until TIME]              only readings up to then (ISO-8601)
  [--sensor ID]               these sensors only; may be repeated
  [--seed 1]                  with --data
  [--engine simd128|relaxed]  simd128 gives the same bits on every machine; the fastest unless given
The first version serves at once, another is a challenger of the one that does.`;

const Options = z
  .object({
    sensor: z.array(z.string().min(1)).default([]),
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

/** Trains from the follower as the schedule would: the fleet, or parts of the sensors that are named. */
async function trainFollower(given: Config, options: Options, signal: AbortSignal): Promise<Trained[]> {
  await using opened = new AsyncDisposableStack();
  const { config, ports: others, store } = await openCommandRuntime(given, opened);
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
  const settings = settingsOf(config, targets).train;
  const slot = floorToStep(clock.now(), config.stepSeconds);
  const workers = config.trainingWorkers === null ? {} : { workers: config.trainingWorkers };
  const fleets = await openFleetPorts(store, others.log, { ...engineOf(options), ...workers });
  const ports = { ...others, clock, follower, ...fleets };
  const known = await follower.listSensors(addSeconds(slot, -settings.historySeconds));
  const sensorIds = options.sensor.length === 0 ? null : pick(known, options.sensor);
  const outcomes = await withProgress((onProgress) => {
    const run = { holder: `train-command/${randomUUID()}`, onProgress, signal };
    return sensorIds === null
      ? trainFleets(ports, settings, { slot, reason: "requested" }, run)
      : Promise.all([trainSensors(ports, settings, { slot, reason: "requested", sensorIds }, run)]);
  });
  return outcomes.flatMap(toTrained);
}

/** The lines of one network's training, or of the parts that were asked for. */
function toTrained(outcome: TrainFleetOutcome): Trained[] {
  if (outcome.status === "busy") throw new AppError("conflict", "the fleet is being trained elsewhere");
  const refused = outcome.refused.map(toRefused);
  if (outcome.status === "refused") {
    return [...refused, { sensorId: "fleet", result: `no model: ${outcome.message}`, manifest: null }];
  }
  const made = outcome.sensors.map(({ manifest, status, reason }) => {
    return { sensorId: manifest.sensorId, result: `${status}: ${reason}`, manifest };
  });
  return [...made, ...refused];
}

/** Trains a fleet from a file into a folder; what lies there stays. */
async function trainFile(config: Config, options: Options, signal: AbortSignal): Promise<Trained[]> {
  const { data = "", out = "", seed } = options;
  const file = await readReadings(data);
  for (const note of file.notes) console.error(`! ${note}`);
  const targets: Target[] = targetsOf(await readSources(config.sourceConfig));
  const missing = targets.find(({ name }) => !file.targets.includes(name));
  if (missing) throw new AppError("badInput", `${data} has no column ${missing.name}, a target of SOURCE_CONFIG`);
  const rates = new Map([...file.sensors].map(([id, readings]) => [id, ratesOfCounters(readings, targets)]));
  const until = options.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(options.until);
  const sensors = pick([...rates.keys()].sort(), options.sensor).map((sensorId) => {
    return { sensorId, readings: readingsUntil(sortReadings(rates.get(sensorId)!), until) };
  });
  const newest = sensors.reduce((last, { readings }) => Math.max(last, readings.at.at(-1) ?? 0), 0);
  const store = await openFolder(out);
  const log = await openLog({ ...config, logLevel: "error" });
  const { fleetTrainer } = await openFleetPorts(store, log, engineOf(options));
  const { stepSeconds, leads, codeVersion } = config;
  const request = { sensors, targets, stepSeconds, leads, seed, now: new Date(newest), codeVersion };
  const { fleet, refused } = await withProgress((onProgress) => fleetTrainer.trainVersion(request, onProgress, signal));
  if (fleet === null) return refused.map(toRefused);
  const { fleetId } = fleet.artefact.manifest;
  const manifests = await storeFleet(store.files, fleet);
  await saveFleetSensors(out, fleetId, manifests);
  const result = join(out, "fleets", fleetId);
  return [
    ...manifests.map((manifest) => ({ sensorId: manifest.sensorId, result, manifest })),
    ...refused.map(toRefused),
  ];
}

function readingsUntil({ at, values }: Readings, until: number): Readings {
  const kept = (column: Float64Array) => column.filter((_, i) => at[i]! <= until);
  return { at: kept(at), values: Object.fromEntries(Object.entries(values).map(([name, one]) => [name, kept(one)])) };
}

function toRefused({ sensorId, untrained }: FleetResult["refused"][number]): Trained {
  return { sensorId, result: `no model: ${untrained.reason}: ${untrained.message}`, manifest: null };
}

function engineOf({ engine }: Options): { build?: EngineBuild } {
  return engine ? { build: engine } : {};
}

async function withProgress<T>(work: (onProgress: (step: TrainProgress) => void) => Promise<T>): Promise<T> {
  const progress = startProgress(1);
  try {
    const done = await work((step) => progress.step("fleet", step));
    progress.sensorDone("fleet");
    return done;
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
      const figures = [mae, ridgeMae, persistenceMae].map((value) => value?.toFixed(3) ?? "");
      const cpu = i === 0 ? manifest!.training.cpuSeconds.toFixed(1) : "";
      table.push([i === 0 ? sensorId : "", target, ...figures, coverage?.toFixed(2) ?? "", cpu, i === 0 ? result : ""]);
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
      ...{ engine: text, seed: text, data: text, out: text, until: text },
      help: { type: "boolean" },
    },
  });
  if (values.help) console.log(usage);
  else {
    const options = Options.safeParse(values);
    if (!options.success) throw new AppError("badInput", `${z.prettifyError(options.error)}\n${usage}`);
    const run = options.data.data === undefined ? trainFollower : trainFile;
    console.log(tableOf(await run(await loadConfig(), options.data, stop.signal)));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
