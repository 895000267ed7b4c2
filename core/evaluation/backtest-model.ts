import type { ForecastSettings } from "../forecast/settings.ts";
import type { Ports, RegisteredModel, TrainProgress } from "../ports.ts";
import type { BacktestInput } from "./backtest-forecasts.ts";

type TrainPorts = Pick<Ports, "trainer" | "inference" | "store">;

/** What each training of a backtest takes beside its moment. */
export type TrainRun = {
  ports: TrainPorts;
  settings: ForecastSettings;
  input: BacktestInput;
  notes: string[];
  onProgress: (progress: TrainProgress) => void;
  signal?: AbortSignal | undefined;
};

/** A model and the moment, epoch ms, from which it serves. */
export type Reign = { from: number; model: RegisteredModel };

/** The model that the plan asks for, as serving would find it in the registry; null with a note when there is none. */
export async function trainForPlan(run: TrainRun): Promise<RegisteredModel | null> {
  const ends = [...run.input.plans.values()];
  if (ends.length === 0) return null;
  const trainEnd = new Date(Math.min(...ends.map((plan) => plan.trainEnd)));
  return trainAt(run, { now: validationEndOf(run.input), trainEnd });
}

/** The end of validation, epoch ms, as a date: what is known when the plan's model is trained. */
export function validationEndOf({ plans }: BacktestInput): Date {
  return new Date(Math.min(...[...plans.values()].map((plan) => plan.validationEnd)));
}

/**
 * The plan's model and those trained after it, each when the history had grown by `growth` since the last one, a day at least,
 * with the readings known then. Who cannot be trained leaves the one before in place.
 */
export async function trainOnTheWay(
  run: TrainRun,
  first: RegisteredModel,
  { until, growth }: { until: number; growth: number },
): Promise<Reign[]> {
  const start = run.input.readings.at[0] ?? 0;
  const reigns: Reign[] = [{ from: Number.NEGATIVE_INFINITY, model: first }];
  const next = (at: number) => at + Math.max(86_400_000, growth * (at - start));
  const step = run.settings.fleet.stepSeconds * 1000;
  const onGrid = (at: number) => Math.ceil(at / step) * step;
  if (growth <= 0) return reigns;
  let at = onGrid(next(validationEndOf(run.input).getTime()));
  for (; at < until; at = onGrid(next(at))) {
    const model = await trainAt(run, { now: new Date(at) });
    if (model) reigns.push({ from: at, model });
  }
  return reigns;
}

async function trainAt(
  { ports, settings, input, notes, onProgress, signal }: TrainRun,
  moment: { now: Date; trainEnd?: Date },
): Promise<RegisteredModel | null> {
  const { trainer, inference, store } = ports;
  const { fleet, codeVersion } = settings;
  const { sensorId, readings, seed } = input;
  try {
    const result = await trainer.train(
      { sensorId, readings, ...fleet, seed, codeVersion, ...moment },
      onProgress,
      signal,
    );
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
    const { now } = moment;
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
