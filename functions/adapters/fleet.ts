import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import pLimit from "p-limit";
import { AppError } from "../../core/errors.ts";
import type { FleetModel, FleetRunner, FleetTrainer, FleetVersionTrainer } from "../../core/model/fleet/training.ts";
import type { TrainProgress } from "../../core/model/training.ts";
import type { EngineBuild } from "../../models/engine/engine.ts";
import { loadEngine } from "../../models/engine/load.ts";
import { createFleetPredictor } from "../../models/fleet/predict.ts";
import { type FleetDone, type FleetTask, workHere } from "./fleet-here.ts";
import type { FleetMessage } from "./fleet-worker.ts";

/**
 * Threads at a time, and the engine where it is not to be the fastest: simd128 gives the same bits on every machine.
 */
type FleetWorkers = { workers?: number; build?: EngineBuild };

const workerFile = new URL("./fleet-worker.ts", import.meta.url);

/**
 * Trains fleets and fits sensors on worker threads, `workers` at a time; aborting ends it at once. In a bundle,
 * without the worker's file, in this one.
 */
export function workerFleetTrainer({
  workers = availableParallelism(),
  build,
}: FleetWorkers = {}): FleetTrainer & FleetVersionTrainer {
  const limit = pLimit(Math.max(1, workers));
  // What others leave; the two networks of a version are fitted side by side where there are threads for both.
  const making = () => ({ build: build ?? null, threads: Math.max(1, workers - limit.activeCount + 1) });
  return {
    train: (request, onProgress = () => {}, signal) =>
      limit(() => workOn({ kind: "train", request, ...making() }, onProgress, signal)),
    trainVersion: ({ codeVersion, ...request }, onProgress = () => {}, signal) =>
      limit(() => workOn({ kind: "version", request, codeVersion, ...making() }, onProgress, signal)),
    fitParts: (request, signal) => limit(() => workOn({ kind: "parts", request }, () => {}, signal)),
    renewParts: (request, signal) => limit(() => workOn({ kind: "renewal", request }, () => {}, signal)),
  };
}

async function workOn<Kind extends FleetTask["kind"]>(
  task: FleetTask & { kind: Kind },
  onProgress: (progress: TrainProgress) => void,
  signal?: AbortSignal,
): Promise<FleetDone[Kind]> {
  signal?.throwIfAborted();
  // What comes of a task is of its kind.
  if (!existsSync(workerFile)) return (await workHere(task, onProgress)) as FleetDone[Kind];
  const worker = new Worker(workerFile);
  const { promise, resolve, reject } = Promise.withResolvers<FleetDone[Kind]>();
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  worker.on("message", (message: FleetMessage) => {
    if (message.kind === "progress") onProgress(message.progress);
    else if (message.kind === "result") resolve(message.done as FleetDone[Kind]);
    else reject(new AppError("badInput", `the fleet's training failed: ${message.message}`));
  });
  worker.on("error", (cause) => {
    reject(new AppError("internal", `the fleet's training worker failed: ${cause}`, { cause }));
  });
  worker.on("exit", (code) => {
    reject(new AppError("internal", `the fleet's training worker ended with ${code} and no result`));
  });
  worker.postMessage(task);
  return promise.finally(async () => {
    signal?.removeEventListener("abort", abort);
    await worker.terminate();
  });
}

/** Runs a trained fleet on the training engine of this thread. */
export async function engineRunner(model: FleetModel): Promise<FleetRunner> {
  const predictor = createFleetPredictor(loadEngine(), model);
  return { run: async (rows) => predictor.predict(rows), close: async () => predictor.dispose() };
}
