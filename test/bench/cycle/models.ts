import type { Artefact } from "../../../core/model/manifest.ts";
import type { ModelStore, Registry } from "../../../core/model/ports.ts";
import type { RegisteredModel } from "../../../core/model/registered.ts";

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
