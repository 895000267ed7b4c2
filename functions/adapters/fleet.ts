import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import pLimit from "p-limit";
import { AppError } from "../../core/errors.ts";
import type { FleetModel, FleetResult, FleetRunner, FleetTrainer } from "../../core/model/fleet/training.ts";
import { loadEngine } from "../../models/engine/load.ts";
import { createFleetPredictor } from "../../models/fleet/predict.ts";
import type { FleetMessage } from "./fleet-worker.ts";

/** Trains fleets on worker threads, one a thread and at most `workers` at a time; aborting ends it at once. */
export function workerFleetTrainer({ workers = availableParallelism() }: { workers?: number } = {}): FleetTrainer {
  const limit = pLimit(Math.max(1, workers));
  return {
    train: (request, onProgress = () => {}, signal) =>
      limit(async () => {
        signal?.throwIfAborted();
        const worker = new Worker(new URL("./fleet-worker.ts", import.meta.url));
        const { promise, resolve, reject } = Promise.withResolvers<FleetResult>();
        const abort = () => reject(signal?.reason);
        signal?.addEventListener("abort", abort, { once: true });
        worker.on("message", (message: FleetMessage) => {
          if (message.kind === "progress") onProgress(message.progress);
          else if (message.kind === "result") resolve(message.result);
          else reject(new AppError("badInput", `the fleet's training failed: ${message.message}`));
        });
        worker.on("error", (cause) => {
          reject(new AppError("internal", `the fleet's training worker failed: ${cause}`, { cause }));
        });
        worker.on("exit", (code) => {
          reject(new AppError("internal", `the fleet's training worker ended with ${code} and no result`));
        });
        worker.postMessage(request);
        return promise.finally(async () => {
          signal?.removeEventListener("abort", abort);
          await worker.terminate();
        });
      }),
  };
}

/** Runs a trained fleet on the training engine of this thread. */
export async function engineRunner(model: FleetModel): Promise<FleetRunner> {
  const predictor = createFleetPredictor(loadEngine(), model);
  return { run: async (rows) => predictor.predict(rows), close: async () => predictor.dispose() };
}
