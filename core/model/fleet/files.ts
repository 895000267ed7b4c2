/** Files of fleets' artefacts in the model store; a path never changes its bytes. */
export type ArtefactFiles = {
  /** Null when there is none. */
  read(path: string): Promise<Uint8Array | null>;
  /** Writes whole or not at all; the same bytes again are a no-op, others throw conflict. */
  write(path: string, bytes: Uint8Array): Promise<void>;
};
