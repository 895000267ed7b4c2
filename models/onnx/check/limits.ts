import { AppError } from "../../../core/errors.ts";
import { mostBytes } from "../../../core/model/size-limits.ts";

/** What a graph may have at most; the shipped ones stay below a tenth of each. */
export const limits = {
  fileBytes: mostBytes("model.onnx"),
  /** Fields of the file, those of all messages together. */
  fields: 200_000,
  /** Numbers that do not lie in a tensor's raw data. */
  numbers: 2 ** 22,
  nodes: 5_000,
  initializers: 5_000,
  dims: 8,
  nameBytes: 1_024,
  /** Documentation and metadata, which nothing here reads. */
  noteBytes: 65_536,
  /** Numbers of one value, and of all values together, when the largest batch runs. */
  valueSize: 2 ** 24,
  totalSize: 2 ** 27,
  /** Multiplications and additions of the largest batch: some seconds of one core. */
  operations: 2e10,
} as const;

/** What is found first to be wrong with a graph. */
export function refused(what: string): AppError {
  return new AppError("artefactRejected", `graph refused: ${what}`);
}

/** A name out of a foreign file, fit to be shown. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}...` : name);
}
