import { AppError } from "../errors.ts";
import { conclude, type ModelAnswer } from "../forecast/conclude.ts";
import type { Forecast, Outcome } from "../forecast/forecast.ts";
import { modelsToRun, planSensor, type Refusal, type SensorPlan, stepsNeeded } from "../forecast/plan.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import type { ForecastMessage } from "../messages.ts";
import { type EncodedInput, type ModelOutput, toModelInput } from "../model/tensors.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, floorToStep } from "../time.ts";

export type ForecastPorts = Pick<
  Ports,
  "clock" | "log" | "follower" | "registry" | "inference" | "ledger" | "adaptations"
>;

/** What a shard came to: nothing for sensors that were decided before. */
export type Issued = { slot: Date; outcomes: Outcome[]; forecasts: Forecast[] };

/**
 * Forecasts a shard: one outcome per sensor not decided yet, stored with its forecasts in one transaction. Doing it again
 * changes nothing. A sensor whose own handling throws costs the others nothing: they are stored first, then `internal` is
 * thrown so that the message comes back for the one.
 */
export async function forecast(
  ports: ForecastPorts,
  settings: ForecastSettings,
  shard: ForecastMessage,
): Promise<Issued> {
  const { clock, log, follower, registry, inference, ledger, adaptations } = ports;
  const { stepSeconds } = settings.fleet;
  const slot = floorToStep(shard.slot, stepSeconds);
  const asked = [...new Set(shard.sensorIds)];
  const decided = await ledger.decided(asked, slot);
  const sensorIds = asked.filter((sensorId) => !decided.has(sensorId));
  if (sensorIds.length === 0) return { slot, outcomes: [], forecasts: [] };

  const newest = floorToStep(clock.now(), stepSeconds);
  if (slot < addSeconds(newest, -settings.expiredSteps * stepSeconds)) {
    const outcomes = sensorIds.map((sensorId) => expired(sensorId, slot, newest, clock.now()));
    await ledger.record(outcomes, []);
    log.warn("forecast.expired", { slot, newest, sensors: sensorIds.length });
    return { slot, outcomes, forecasts: [] };
  }

  const [champions, challengers, learnt] = await Promise.all([
    registry.champions(sensorIds),
    registry.challengers(sensorIds),
    adaptations.load(sensorIds),
  ]);
  const steps = stepsNeeded([...champions.values(), ...challengers], settings);
  const windows = await follower.readWindows(sensorIds, addSeconds(slot, -steps * stepSeconds), slot);
  const shadowsOf = Map.groupBy(challengers, (model) => model.sensorId);

  const faults: { sensorId: string; error: unknown }[] = [];
  const isolate = <T>(sensorId: string, work: () => T): T[] => {
    try {
      return [work()];
    } catch (error) {
      faults.push({ sensorId, error });
      return [];
    }
  };
  const plans = sensorIds.flatMap((sensorId) =>
    isolate(sensorId, () => {
      const readings = windows.get(sensorId) ?? { at: new Float64Array(0), values: {} };
      const models = { champion: champions.get(sensorId) ?? null, challengers: shadowsOf.get(sensorId) ?? [] };
      return { sensorId, plan: planSensor(sensorId, readings, models, slot, steps, settings) };
    }),
  );
  const jobs = plans.flatMap(({ plan }) => ("targets" in plan ? modelJobs(plan, settings) : []));
  const outputs = await inference.run(jobs.flatMap((job) => (job.input ? [job.input] : [])));
  const answers = answersBySensor(jobs, outputs);

  const decidedAt = later(clock.now(), slot);
  const results = plans.flatMap(({ sensorId, plan }) =>
    isolate(sensorId, () =>
      "targets" in plan
        ? conclude({
            plan,
            slot,
            decidedAt,
            answers: answers.get(sensorId) ?? new Map(),
            adaptations: learnt.get(sensorId) ?? new Map(),
            settings,
            log,
          })
        : { outcome: refused(sensorId, slot, plan, decidedAt), forecasts: [] },
    ),
  );
  const outcomes = results.map((result) => result.outcome);
  const forecasts = results.flatMap((result) => result.forecasts);
  await ledger.record(outcomes, forecasts);
  log.info("forecast.recorded", { slot, ...countByStatus(outcomes), forecasts: forecasts.length });
  if (faults.length > 0) throw faultOf(faults, slot);
  return { slot, outcomes, forecasts };
}

/** On demand: the same forecast for the present slot. Only for sensors that exist: an unknown id would be refused and kept. */
export async function forecastNow(
  ports: ForecastPorts,
  settings: ForecastSettings,
  sensorIds: string[],
): Promise<Issued> {
  return forecast(ports, settings, { slot: floorToStep(ports.clock.now(), settings.fleet.stepSeconds), sensorIds });
}

/** Messages with the newest slot first: after an outage the present is served before the past. */
export function newestFirst<T extends { slot: Date }>(messages: T[]): T[] {
  return messages.toSorted((a, b) => b.slot.getTime() - a.slot.getTime());
}

type ModelJob = { sensorId: string; modelId: string; input: EncodedInput | null; message: string };

/** The models to run for a sensor; one that cannot be encoded is answered for without running. */
function modelJobs(plan: SensorPlan, settings: ForecastSettings): ModelJob[] {
  const { sensorId } = plan;
  return modelsToRun(plan).map(({ modelId, manifest }) => {
    try {
      return { sensorId, modelId, input: toModelInput(manifest, plan.sensor, settings.fleet.targets), message: "" };
    } catch (error) {
      return { sensorId, modelId, input: null, message: error instanceof Error ? error.message : String(error) };
    }
  });
}

function answersBySensor(jobs: ModelJob[], outputs: ModelOutput[]): Map<string, Map<string, ModelAnswer>> {
  const answers = new Map<string, Map<string, ModelAnswer>>();
  let next = 0;
  for (const { sensorId, modelId, input, message } of jobs) {
    const output = input && outputs[next++];
    const answer: ModelAnswer =
      input && output?.ok
        ? { ok: true, output, last: input.last }
        : output?.ok === false
          ? output
          : { ok: false, reason: "modelRejected", message: message || "no answer" };
    answers.set(sensorId, (answers.get(sensorId) ?? new Map<string, ModelAnswer>()).set(modelId, answer));
  }
  return answers;
}

function refused(sensorId: string, slot: Date, { reason, message, have, need }: Refusal, decidedAt: Date): Outcome {
  return { sensorId, slot, status: "refused", reason, reasonText: message, have, need, decidedAt };
}

function expired(sensorId: string, slot: Date, newest: Date, decidedAt: Date): Outcome {
  const reasonText = `slot ${slot.toISOString()} was reached when ${newest.toISOString()} was due; not computed`;
  return { sensorId, slot, status: "expired", reason: "expired", reasonText, have: null, need: null, decidedAt };
}

function countByStatus(outcomes: Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}

function faultOf(faults: { sensorId: string; error: unknown }[], slot: Date): AppError {
  const names = faults.slice(0, 5).map((fault) => fault.sensorId);
  const text = `${faults.length} sensors not decided in slot ${slot.toISOString()}: ${names.join(", ")}; comes back`;
  return new AppError("internal", text, { cause: faults[0]!.error });
}
