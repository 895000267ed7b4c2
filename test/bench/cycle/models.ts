import type { Fleet } from "../../../core/data/reading.ts";
import { nearReach } from "../../../core/model/leads.ts";
import type { Artefact } from "../../../core/model/manifest.ts";
import type { ModelStore, Registry } from "../../../core/model/ports.ts";
import type { RegisteredModel } from "../../../core/model/registered.ts";
import { addSeconds } from "../../../core/time.ts";
import { workerTrainer } from "../../../functions/adapters/trainer.ts";
import { readingsOf, someSlot, wave } from "../../builders.ts";

/** Before the first slot of the benchmark: nobody is served by a model of data to come. */
const trainedTo = addSeconds(someSlot, -2 * 86_400);

/** A model of one sensor, trained on the spot. */
export async function someArtefact(fleet: Fleet, say: (text: string) => void): Promise<Artefact> {
  say("training a model of one sensor");
  const history = { temperature: wave(8640), humidity: wave(8640, { mean: 50, swing: 10, seed: 2 }) };
  const request = {
    sensorId: "bench",
    readings: readingsOf(history, { end: trainedTo }),
    ...{ targets: fleet.targets, stepSeconds: fleet.stepSeconds, horizon: nearReach(fleet.leads) },
    seed: 1,
    now: trainedTo,
    codeVersion: "bench",
  };
  const result = await workerTrainer().train(request);
  if (!result.ok) throw new Error(result.message);
  return result.artefact;
}

/** Makes a model of its own for every sensor out of one artefact: other ids, the same bytes, each its own champion. */
export async function enlist(
  registry: Registry,
  artefact: Artefact,
  sensorIds: string[],
  now: Date,
): Promise<{ store: ModelStore; models: Map<string, RegisteredModel> }> {
  const copyFor = (sensorId: string): Artefact => {
    const manifest = { ...artefact.manifest, modelId: `bench-${sensorId}`, sensorId };
    return { ...artefact, manifest };
  };
  for (const sensorId of sensorIds) {
    const { manifest } = copyFor(sensorId);
    await registry.register({ manifest, statusReason: "bench", now });
    await registry.promote(manifest.modelId, "bench", now);
  }
  const store: ModelStore = {
    get: async (modelId) => copyFor(modelId.slice("bench-".length)),
    put: async () => {},
  };
  return { store, models: await registry.champions(sensorIds) };
}
