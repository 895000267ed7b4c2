import type { ArtefactFiles } from "../../core/model/fleet/files.ts";
import type { Artefact } from "../../core/model/manifest.ts";
import type { ModelStore } from "../../core/model/ports.ts";
import { checkModelId, checkPath, checkSame, checkSameBytes } from "./artefact-files.ts";

/** Artefacts in this process's memory: gone with it. */
export function memoryStore(): ModelStore & { artefacts: Map<string, Artefact> } {
  const artefacts = new Map<string, Artefact>();
  return {
    artefacts,
    get: async (modelId) => artefacts.get(checkModelId(modelId)) ?? null,
    async put(artefact) {
      const modelId = checkModelId(artefact.manifest.modelId);
      const known = artefacts.get(modelId);
      if (known) await checkSame(known, artefact);
      const { signature } = artefact;
      artefacts.set(modelId, known ? { ...known, ...(signature === undefined ? {} : { signature }) } : artefact);
    },
  };
}

/** Files of fleets' artefacts in this process's memory. */
export function memoryFiles(): ArtefactFiles {
  const files = new Map<string, Uint8Array>();
  const nameOf = (path: string) => checkPath(path).join("/");
  return {
    read: async (path) => files.get(nameOf(path)) ?? null,
    async write(path, bytes) {
      const known = files.get(nameOf(path));
      if (known) return checkSameBytes(path, known, bytes);
      files.set(nameOf(path), bytes);
    },
  };
}
