import { parentPort, workerData } from "node:worker_threads";
import { AppError, type ErrorCode } from "../../core/errors.ts";
import type { TrainProgress, TrainRequest, TrainResult } from "../../core/ports.ts";
import { trainHere } from "./trainer-here.ts";

/** What the worker tells its starter: progress now and then, one result or fault at the end. */
export type WorkerMessage =
  | { kind: "progress"; progress: TrainProgress }
  | { kind: "result"; result: TrainResult }
  | { kind: "fault"; code: ErrorCode; message: string };

const post = (message: WorkerMessage) => parentPort?.postMessage(message);

try {
  // The starter passes a request and nothing else.
  const request = workerData as TrainRequest;
  post({ kind: "result", result: await trainHere(request, (progress) => post({ kind: "progress", progress })) });
} catch (error) {
  const code = error instanceof AppError ? error.code : "internal";
  post({ kind: "fault", code, message: error instanceof Error ? error.message : String(error) });
}
