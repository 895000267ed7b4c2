import type { ArtefactFiles } from "../../core/model/fleet/files.ts";
import type { Artefact } from "../../core/model/manifest.ts";
import type { ModelStore } from "../../core/model/ports.ts";
import { checkSameBytes } from "./artefact-files.ts";

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

/** Files of fleets' artefacts in this process's memory. */
export function memoryFiles(): ArtefactFiles {
  const files = new Map<string, Uint8Array>();
  return {
    read: async (path) => files.get(path) ?? null,
    write: async (path, bytes) => {
      const known = files.get(path);
      if (known) return checkSameBytes(path, known, bytes);
      files.set(path, bytes);
    },
  };
}
