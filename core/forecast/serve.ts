import type { SensorGrid } from "../data/context.ts";
import type { Fleet } from "../data/reading.ts";
import type { Adaptation } from "../mix/adaptation.ts";
import type { RegisteredModel } from "../model/registered.ts";
import { type EncodedInput, type ModelInput, type ModelOutput, toModelInput } from "../model/tensors.ts";
import { type Conclusion, conclude, concludeRefusal, type ModelAnswer } from "./conclude.ts";
import type { KeptBands } from "./kept-bands.ts";
import { modelsToRun, planSensor, type Refusal, type SensorPlan, type SensorSlot } from "./plan.ts";
import type { ForecastSettings } from "./settings.ts";

/** Answers a batch of tensors, one outcome per input and in order. */
export type RunModels = (inputs: ModelInput[]) => Promise<ModelOutput[]>;

/** A model's tensors at the sensor's origin. */
export type EncodeModel = (model: RegisteredModel, sensor: SensorGrid, fleet: Fleet) => EncodedInput;

/** A model of one sensor encodes by its manifest alone. */
export const encodeOwn: EncodeModel = ({ manifest, digest }, sensor, { targets }) => ({
  ...toModelInput(manifest, sensor, targets),
  digest,
});

/** What a conclusion needs beside the answers: what was learnt of the sensor, per target, and when it is drawn. */
export type Decision = { learnt: Map<string, Adaptation>; decidedAt: Date };

/** What a sensor's slot came to; `error` where its own handling threw, which costs the others nothing. */
export type ServedSlot = { sensorId: string; slot: Date } & (
  | ({ ok: true } & Conclusion)
  | { ok: false; error: unknown }
);

/**
 * Forecasts a batch: plans, tensors, ONE run of the models, conclusions; in the order of the batch. `decide` is asked
 * for each sensor when its turn has come, after the models have answered: what is learnt between two turns counts for
 * the second. `kept`: what holds for several slots.
 */
export async function* serve(
  run: RunModels,
  settings: ForecastSettings,
  batch: SensorSlot[],
  decide: (one: SensorSlot) => Decision,
  encode: EncodeModel = encodeOwn,
  kept: KeptBands = new Map(),
): AsyncGenerator<ServedSlot> {
  const asked = batch.map((one) => ({ one, attempt: attempt(() => ask(one, settings, encode)) }));
  const questions = asked.flatMap((each) => (each.attempt.ok ? each.attempt.value.questions : []));
  const outputs = await run(questions.flatMap(({ input }) => (input ? [input] : [])));
  const rest = outputs.values();
  for (const { one, attempt: asking } of asked) {
    const { sensorId, slot } = one;
    if (!asking.ok) {
      yield { sensorId, slot, ok: false, error: asking.error };
      continue;
    }
    const { plan, questions } = asking.value;
    const answers = new Map(questions.map((question) => [question.modelId, answerOf(question, rest)]));
    const concluding = attempt((): Conclusion => {
      const { learnt: adaptations, decidedAt } = decide(one);
      if (!plan.ok) return concludeRefusal(one, plan, decidedAt);
      return conclude({ plan, decidedAt, answers, adaptations, settings, kept });
    });
    yield concluding.ok
      ? { sensorId, slot, ok: true, ...concluding.value }
      : { sensorId, slot, ok: false, error: concluding.error };
  }
}

/** A model to be run; one that cannot be encoded is answered for without running. */
type Question = { modelId: string } & ({ input: EncodedInput } | { input: null; message: string });

function ask(
  one: SensorSlot,
  settings: ForecastSettings,
  encode: EncodeModel,
): { plan: SensorPlan | Refusal; questions: Question[] } {
  const plan = planSensor(one, settings);
  return {
    plan,
    questions: plan.ok ? modelsToRun(plan).map((model) => questionFor(model, plan, settings, encode)) : [],
  };
}

function questionFor(
  model: RegisteredModel,
  { sensor }: SensorPlan,
  { fleet }: ForecastSettings,
  encode: EncodeModel,
): Question {
  const { modelId } = model;
  const encoded = attempt(() => encode(model, sensor, fleet));
  return encoded.ok ? { modelId, input: encoded.value } : { modelId, input: null, message: textOf(encoded.error) };
}

function answerOf(question: Question, rest: Iterator<ModelOutput>): ModelAnswer {
  const rejected = (message: string) => ({ ok: false, reason: "modelRejected", message }) as const;
  if (question.input === null) return rejected(question.message);
  const output: ModelOutput | undefined = rest.next().value;
  if (output === undefined) return rejected("no answer");
  const { last, neighbours = null } = question.input;
  return output.ok ? { ok: true, output, last, neighbours } : output;
}

type Attempt<T> = { ok: true; value: T } | { ok: false; error: unknown };

function attempt<T>(work: () => T): Attempt<T> {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return { ok: false, error };
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
