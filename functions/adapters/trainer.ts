import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import pLimit from "p-limit";
import { AppError } from "../../core/errors.ts";
import type { Trainer } from "../../core/model/ports.ts";
import type { TrainProgress, TrainResult } from "../../core/model/training.ts";
import type { EngineBuild } from "../../models/engine/engine.ts";
import type { WorkerMessage, WorkerTask } from "./trainer-worker.ts";

const workerFile = new URL("./trainer-worker.ts", import.meta.url);

/**
 * Trains sensors on worker threads, one a thread and at most `workers` at a time (the number of cores unless given). A
 * worker takes the next sensor that waits, warm, and ends when none does; aborting ends it at once. In a bundle, where
 * there is no worker file, it trains in the calling thread. `build` forces an engine: simd128 gives the same bits on
 * every machine.
 */
export function workerTrainer(options: { workers?: number; build?: EngineBuild } = {}): Trainer {
  const { workers = availableParallelism(), build } = options;
  const limit = pLimit(Math.max(1, workers));
  const idle: Worker[] = [];
  return {
    train: (request, onProgress = () => {}, signal) =>
      limit(async () => {
        signal?.throwIfAborted();
        if (!existsSync(workerFile)) {
          const { trainHere } = await import("./trainer-here.ts");
          return trainHere(request, onProgress, build);
        }
        const worker = idle.pop() ?? new Worker(workerFile);
        try {
          const result = await trainOnWorker(worker, { request, build: build ?? null }, onProgress, signal);
          idle.push(worker);
          return result;
        } catch (error) {
          await worker.terminate();
          throw error;
        } finally {
          if (limit.pendingCount === 0) await Promise.all(idle.splice(0).map((one) => one.terminate()));
        }
      }),
  };
}

function trainOnWorker(
  worker: Worker,
  task: WorkerTask,
  onProgress: (progress: TrainProgress) => void,
  signal?: AbortSignal,
): Promise<TrainResult> {
  const { sensorId } = task.request;
  const { promise, resolve, reject } = Promise.withResolvers<TrainResult>();
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  const hear = (message: WorkerMessage) => {
    if (message.kind === "progress") onProgress(message.progress);
    else if (message.kind === "result") resolve(message.result);
    else reject(new AppError(message.code, `${sensorId}: training failed: ${message.message}`));
  };
  const fail = (cause: unknown) => {
    reject(new AppError("internal", `${sensorId}: the training worker failed: ${cause}`, { cause }));
  };
  const end = (code: number) => {
    reject(new AppError("internal", `${sensorId}: the training worker ended with ${code} and no result`));
  };
  worker.on("message", hear).on("error", fail).on("exit", end);
  worker.postMessage(task);
  return promise.finally(() => {
    signal?.removeEventListener("abort", abort);
    worker.off("message", hear).off("error", fail).off("exit", end);
  });
}
