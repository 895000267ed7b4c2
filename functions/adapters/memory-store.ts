import type { Artefact } from "../../core/model/manifest.ts";
import type { ModelStore } from "../../core/ports.ts";

/** Artefacts in this process's memory: gone with it. */
export function memoryStore(): ModelStore {
  const artefacts = new Map<string, Artefact>();
  return {
    get: async (modelId) => artefacts.get(modelId) ?? null,
    put: async (artefact) => {
      artefacts.set(artefact.manifest.modelId, artefact);
    },
  };
}
