import type { ForecastSettings } from "../forecast/settings.ts";
import type { Ports, RegisteredModel, TrainProgress } from "../ports.ts";
import type { BacktestInput } from "./backtest-forecasts.ts";

/** The model as serving would find it in the registry; null with a note when there is none. */
export async function trainForPlan(
  { trainer, inference, store }: Pick<Ports, "trainer" | "inference" | "store">,
  { fleet, codeVersion }: ForecastSettings,
  { sensorId, readings, plans, seed }: BacktestInput,
  notes: string[],
  onProgress: (progress: TrainProgress) => void,
  signal?: AbortSignal,
): Promise<RegisteredModel | null> {
  const ends = [...plans.values()];
  if (ends.length === 0) return null;
  const now = new Date(Math.min(...ends.map((plan) => plan.validationEnd)));
  const trainEnd = new Date(Math.min(...ends.map((plan) => plan.trainEnd)));
  const request = { sensorId, readings, ...fleet, seed, now, codeVersion, trainEnd };
  try {
    const result = await trainer.train(request, onProgress, signal);
    if (!result.ok) {
      notes.push(`${sensorId}: no model (${result.reason}): ${result.message}`);
      return null;
    }
    for (const { reason, message } of result.untrained)
      notes.push(`${sensorId}: not in the model (${reason}): ${message}`);
    const verdict = await inference.verify(result.artefact);
    if (!verdict.ok) {
      notes.push(`${sensorId}: model rejected: ${verdict.message}`);
      return null;
    }
    await store.put(result.artefact);
    const { manifest } = result.artefact;
    const { modelId, modelSha256 } = manifest;
    const life = {
      status: "champion",
      createdAt: now,
      promotedAt: now,
      retiredAt: null,
      statusReason: "backtest",
    } as const;
    return { modelId, sensorId, manifest, modelSha256, ...life };
  } catch (error) {
    // Giving up one sensor must not cost the others their backtest; being told to stop must.
    signal?.throwIfAborted();
    notes.push(`${sensorId}: training failed: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
