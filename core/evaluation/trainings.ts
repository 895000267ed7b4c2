import type { ForecastSettings } from "../forecast/settings.ts";
import type { RegisteredModel } from "../model/registered.ts";
import { renewalAt } from "../model/renewal.ts";
import { isShortHistory, pickDonors } from "../model/short-history.ts";
import type { TrainProgress } from "../model/training.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, ceilToStep } from "../time.ts";
import type { BacktestInput } from "./planned.ts";

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

/** Far enough apart that the seeds of two runs of a backtest do not meet. */
const seedStride = 10_000;

/** A challenger and the moment, epoch ms, from which it runs beside the champion. */
export type Challenge = { from: number; model: RegisteredModel };

/** The model that the plan asks for, as serving would find it in the registry; null with a note when there is none. */
export async function trainForPlan(run: TrainRun): Promise<RegisteredModel | null> {
  const ends = [...run.input.plans.values()];
  if (ends.length === 0) return null;
  const trainEnd = new Date(Math.min(...ends.map((plan) => plan.trainEnd)));
  return trainAt(run, { now: validationEndOf(run.input), trainEnd, seed: run.input.seed });
}

/** The end of validation, epoch ms, as a date: what is known when the plan's model is trained. */
export function validationEndOf({ plans }: BacktestInput): Date {
  return new Date(Math.min(...[...plans.values()].map((plan) => plan.validationEnd)));
}

/**
 * The models trained after the plan's as serving would, with the readings known then: each is the challenger until the
 * next.
 * Who cannot be trained leaves the one before in place.
 */
export async function trainOnTheWay(
  run: TrainRun,
  first: RegisteredModel,
  { until, growth }: { until: number; growth: number },
): Promise<Challenge[]> {
  const challenges: Challenge[] = [];
  if (growth <= 0) return challenges;
  const next = (model: RegisteredModel) =>
    ceilToStep(renewalAt(model.manifest, growth), run.settings.fleet.stepSeconds);
  for (let now = next(first); now.getTime() < until; ) {
    // Another seed, as serving has for each moment.
    const model = await trainAt(run, { now, seed: run.input.seed + seedStride * (challenges.length + 1) });
    if (model) challenges.push({ from: now.getTime(), model });
    now = model ? next(model) : addSeconds(now, 86_400);
  }
  return challenges;
}

async function trainAt(
  { ports, settings, input, notes, onProgress, signal }: TrainRun,
  moment: { now: Date; trainEnd?: Date; seed: number },
): Promise<RegisteredModel | null> {
  const { trainer, inference, store } = ports;
  const { fleet, codeVersion } = settings;
  const { sensorId, readings, others = [] } = input;
  const isShort = isShortHistory(readings, fleet.stepSeconds, moment.now);
  const donors = isShort ? pickDonors(others, fleet.stepSeconds, moment.now) : [];
  try {
    const result = await trainer.train(
      { sensorId, readings, donors, ...fleet, codeVersion, ...moment },
      onProgress,
      signal,
    );
    if (!result.ok) {
      notes.push(`${sensorId}: no model (${result.reason}): ${result.message}`);
      return null;
    }
    const { shortHistory } = result.artefact.manifest.training;
    if (shortHistory) notes.push(`${sensorId}: ${shortHistory.reason}`);
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
