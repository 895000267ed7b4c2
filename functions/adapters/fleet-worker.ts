import { parentPort } from "node:worker_threads";
import type { FleetRequest, FleetResult } from "../../core/model/fleet/training.ts";
import type { TrainProgress } from "../../core/model/training.ts";
import { loadEngine } from "../../models/engine/load.ts";
import { trainFleet } from "../../models/fleet/training.ts";

/** What the worker answers: progress now and then, one result or fault at the end. */
export type FleetMessage =
  | { kind: "progress"; progress: TrainProgress }
  | { kind: "result"; result: FleetResult }
  | { kind: "fault"; message: string };

const progressEveryMs = 200;
const post = (message: FleetMessage) => parentPort?.postMessage(message);

function work(request: FleetRequest): void {
  let told = Number.NEGATIVE_INFINITY;
  const onProgress = (progress: TrainProgress) => {
    const now = performance.now();
    if (now - told < progressEveryMs && progress.done < progress.total) return;
    told = now;
    post({ kind: "progress", progress });
  };
  const cpuSeconds = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1e6;
  };
  try {
    post({ kind: "result", result: trainFleet(loadEngine(), request, cpuSeconds, onProgress) });
  } catch (error) {
    post({ kind: "fault", message: error instanceof Error ? error.message : String(error) });
  }
}

parentPort?.on("message", (request: FleetRequest) => work(request));
