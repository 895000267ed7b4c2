import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import pLimit from "p-limit";
import { AppError } from "../../core/errors.ts";
import type { Trainer, TrainProgress, TrainResult } from "../../core/ports.ts";
import type { EngineBuild } from "../../models/engine/load.ts";
import type { WorkerMessage, WorkerTask } from "./trainer-worker.ts";

const workerFile = new URL("./trainer-worker.ts", import.meta.url);

/**
 * Trains each sensor on a worker thread of its own, at most `workers` at a time (the number of cores unless given).
 * Aborting ends the worker at once. In a bundle, where there is no worker file, it trains in the calling thread.
 * `build` forces an engine: simd128 gives the same bits on every machine.
 */
export function workerTrainer(options: { workers?: number; build?: EngineBuild } = {}): Trainer {
  const { workers = availableParallelism(), build } = options;
  const limit = pLimit(Math.max(1, workers));
  return {
    train: (request, onProgress = () => {}, signal) =>
      limit(async () => {
        signal?.throwIfAborted();
        if (existsSync(workerFile)) return trainOnWorker({ request, build: build ?? null }, onProgress, signal);
        const { trainHere } = await import("./trainer-here.ts");
        return trainHere(request, onProgress, build);
      }),
  };
}

function trainOnWorker(
  task: WorkerTask,
  onProgress: (progress: TrainProgress) => void,
  signal?: AbortSignal,
): Promise<TrainResult> {
  const { sensorId } = task.request;
  const { promise, resolve, reject } = Promise.withResolvers<TrainResult>();
  const worker = new Worker(workerFile, { workerData: task });
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  worker.on("message", (message: WorkerMessage) => {
    if (message.kind === "progress") onProgress(message.progress);
    else if (message.kind === "result") resolve(message.result);
    else reject(new AppError(message.code, `${sensorId}: training failed: ${message.message}`));
  });
  worker.on("error", (cause) => {
    reject(new AppError("internal", `${sensorId}: the training worker failed: ${cause}`, { cause }));
  });
  worker.on("exit", (code) => {
    reject(new AppError("internal", `${sensorId}: the training worker ended with ${code} and no result`));
  });
  return promise.finally(async () => {
    signal?.removeEventListener("abort", abort);
    await worker.terminate();
  });
}
