import { parentPort } from "node:worker_threads";
import { AppError, type ErrorCode } from "../../core/errors.ts";
import type { TrainProgress, TrainRequest, TrainResult } from "../../core/model/training.ts";
import type { EngineBuild } from "../../models/engine/engine.ts";
import { trainHere } from "./trainer-here.ts";

/** What the worker is given to do, one task at a time; `build` null takes the fastest engine. */
export type WorkerTask = { request: TrainRequest; build: EngineBuild | null };

/** What the worker answers: progress now and then, one result or fault at the end of the task. */
export type WorkerMessage =
  | { kind: "progress"; progress: TrainProgress }
  | { kind: "result"; result: TrainResult }
  | { kind: "fault"; code: ErrorCode; message: string };

const post = (message: WorkerMessage) => parentPort?.postMessage(message);

async function work({ request, build }: WorkerTask): Promise<void> {
  try {
    const onProgress = (progress: TrainProgress) => post({ kind: "progress", progress });
    post({ kind: "result", result: await trainHere(request, onProgress, build ?? undefined) });
  } catch (error) {
    const code = error instanceof AppError ? error.code : "internal";
    post({ kind: "fault", code, message: error instanceof Error ? error.message : String(error) });
  }
}

// The starter posts tasks and nothing else.
parentPort?.on("message", (task: WorkerTask) => void work(task));
