import type { ShortHistory } from "../core/model/manifest.ts";
import { isShortHistory } from "../core/model/short-history.ts";
import type { TrainProgress, TrainRequest, TrainResult } from "../core/model/training.ts";
import { createArtefact } from "./artefact.ts";
import { chooseFit } from "./choice.ts";
import type { Engine } from "./engine/engine.ts";
import { Diverged } from "./engine/passes.ts";
import { policy } from "./policy.ts";
import { type Prepared, prepareTraining } from "./prepare.ts";
import { type FirstStage, fitFirst, fitSecond, stepsFor } from "./stages.ts";
import { toTrainingGrid } from "./training-grid.ts";
import type { TrainedBlend } from "./validation.ts";

/** What training needs of the thread that it runs on. */
export type TrainingHost = {
  engine: Engine;
  /** CPU seconds of this thread so far. */
  cpuSeconds(): number;
  onProgress(progress: TrainProgress): void;
};

/**
 * Trains one sensor's blend: nets on top of ridge fitted on the training part and chosen on the validation part, nets
 * and ridge fitted again on both, and ridge itself. While the history is short, windows of donors teach along, as far
 * as the sensor's own validation part does not refuse them. Bad data and diverged training are outcomes; never a model.
 */
export async function trainModel(host: TrainingHost, request: TrainRequest): Promise<TrainResult> {
  const startedCpu = host.cpuSeconds();
  const { readings, stepSeconds, now, donors = [], sensorId } = request;
  const lending = isShortHistory(readings, stepSeconds, now)
    ? donors.map((donor) => ({ sensorId: donor.sensorId, grid: toTrainingGrid(request, donor.readings) }))
    : [];
  const attempts = [...(lending.length > 0 ? [prepareTraining(request, lending)] : []), prepareTraining(request)];
  const candidates = attempts.flatMap((attempt) => ("reason" in attempt ? [] : [attempt]));
  const refusals = attempts.flatMap((attempt) => ("reason" in attempt ? [attempt] : []));
  // Beside donors less is enough, unless none of them can lend.
  const refused = refusals.find((refusal) => refusal.have > 0) ?? refusals.at(-1);
  if (candidates.length === 0 && refused) {
    const { reason, message, have, need } = refused;
    return { ok: false, reason, message, have, need };
  }
  const made = trainBest(host, candidates, request);
  if (!made.ok) return { ...made, message: `${sensorId}: ${made.message}` };
  const { prepared, blend, shortHistory } = made;
  const cpuSeconds = host.cpuSeconds() - startedCpu;
  const artefact = await createArtefact(host.engine, request, prepared, blend, { cpuSeconds, shortHistory });
  return { ok: true, artefact, untrained: prepared.untrained };
}

type Made = { ok: true; prepared: Prepared; blend: TrainedBlend; shortHistory: ShortHistory | null };

/** Fits every candidate for the first stage and the best of them for the second. */
function trainBest(
  host: TrainingHost,
  candidates: Prepared[],
  { seed }: TrainRequest,
): Made | (TrainResult & { ok: false }) {
  const steps = candidates.map((prepared) => policy.seeds * stepsFor(prepared));
  const total = steps.reduce((sum, one) => sum + one, 0) + Math.max(...steps);
  let done = 0;
  let latestLoss = 0;
  const progress = (loss: number) => {
    latestLoss = loss;
    host.onProgress({ done: Math.min(++done, total - 1), total, loss });
  };
  const stages: FirstStage[] = [];
  let trouble = "";
  const attempt = <T>(work: () => T): T | null => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Diverged)) throw error;
      trouble = error.what;
      return null;
    }
  };
  try {
    for (const prepared of candidates) {
      const stage = attempt(() => fitFirst(host.engine, prepared, seed, progress));
      if (stage) stages.push(stage);
    }
    const choice = stages.length > 0 ? chooseFit(stages) : null;
    if (choice && !choice.ok) return choice;
    const blend = choice && attempt(() => fitSecond(choice.stage, seed, progress));
    if (!choice || !blend) {
      const have = candidates[0]!.windows.origins.length;
      const message = `training diverged: ${trouble}; look for outliers in the readings`;
      return { ok: false, reason: "diverged", message, have, need: policy.minimumTrainWindows };
    }
    // The refit stops where validation found its best: what is left counts as done.
    host.onProgress({ done: total, total, loss: latestLoss });
    return { ok: true, prepared: choice.stage.prepared, blend, shortHistory: choice.shortHistory };
  } finally {
    for (const { network } of stages) network.dispose();
  }
}
