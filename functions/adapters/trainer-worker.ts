import { parentPort, workerData } from "node:worker_threads";
import { AppError, type ErrorCode } from "../../core/errors.ts";
import type { TrainProgress, TrainRequest, TrainResult } from "../../core/ports.ts";
import type { EngineBuild } from "../../models/engine/load.ts";
import { trainHere } from "./trainer-here.ts";

/** What the worker is started with; `build` null takes the fastest engine. */
export type WorkerTask = { request: TrainRequest; build: EngineBuild | null };

/** What the worker tells its starter: progress now and then, one result or fault at the end. */
export type WorkerMessage =
  | { kind: "progress"; progress: TrainProgress }
  | { kind: "result"; result: TrainResult }
  | { kind: "fault"; code: ErrorCode; message: string };

const post = (message: WorkerMessage) => parentPort?.postMessage(message);

try {
  // The starter passes a task and nothing else.
  const { request, build } = workerData as WorkerTask;
  const onProgress = (progress: TrainProgress) => post({ kind: "progress", progress });
  post({ kind: "result", result: await trainHere(request, onProgress, build ?? undefined) });
} catch (error) {
  const code = error instanceof AppError ? error.code : "internal";
  post({ kind: "fault", code, message: error instanceof Error ? error.message : String(error) });
}
