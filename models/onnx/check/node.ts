import type { AttributeMessage } from "./messages.ts";
import type { Value } from "./value.ts";

/** A node under check: its inputs (null is one left out) and what its attributes say. */
export type NodeView = {
  what: string;
  inputs: (Value | null)[];
  outputs: number;
  attributes: Map<string, AttributeMessage>;
  /** Throws artefactRejected without that input. */
  input(at: number): Value;
  integer(name: string, otherwise: number): number;
  /** The numbers of an input, which must not depend on what is fed: a size has to be known before anything runs. */
  known(at: number): number[];
};

/** What a node gives, and how many multiplications it takes where that is not the size of what it gives. */
export type Effect = { values: Value[]; operations?: number };
