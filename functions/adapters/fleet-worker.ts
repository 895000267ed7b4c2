import { parentPort } from "node:worker_threads";
import type { TrainProgress } from "../../core/model/training.ts";
import { type FleetDone, type FleetTask, workHere } from "./fleet-here.ts";

/** What the worker answers: progress now and then, one result or fault at the end. */
export type FleetMessage =
  | { kind: "progress"; progress: TrainProgress }
  | { kind: "result"; done: FleetDone[FleetTask["kind"]] }
  | { kind: "fault"; message: string };

const post = (message: FleetMessage) => parentPort?.postMessage(message);

async function work(task: FleetTask): Promise<void> {
  try {
    const done = await workHere(task, (progress) => post({ kind: "progress", progress }));
    post({ kind: "result", done });
  } catch (error) {
    post({ kind: "fault", message: error instanceof Error ? error.message : String(error) });
  }
}

parentPort?.on("message", (task: FleetTask) => void work(task));
