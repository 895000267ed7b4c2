import type { TrainProgress, TrainRequest, TrainResult } from "../../core/model/training.ts";
import type { Engine, EngineBuild } from "../../models/engine/engine.ts";
import { detectBuild, loadEngine } from "../../models/engine/load.ts";
import { trainModel } from "../../models/training.ts";

const progressEveryMs = 200;

let engine: Engine | null = null;

/**
 * Trains in the calling thread, which is busy for seconds; progress comes a few times a second. `build` forces an
 * engine.
 */
export function trainHere(
  request: TrainRequest,
  onProgress: (progress: TrainProgress) => void,
  build: EngineBuild = detectBuild(),
): Promise<TrainResult> {
  if (engine?.build !== build) engine = loadEngine(build);
  let told = Number.NEGATIVE_INFINITY;
  return trainModel(
    {
      engine,
      cpuSeconds: () => {
        const { user, system } = process.threadCpuUsage();
        return (user + system) / 1e6;
      },
      onProgress: (progress) => {
        const now = performance.now();
        if (now - told < progressEveryMs && progress.done < progress.total) return;
        told = now;
        onProgress(progress);
      },
    },
    request,
  );
}
