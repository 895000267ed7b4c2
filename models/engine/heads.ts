import type { NetworkShape } from "../layout.ts";
import { pad, paddedOutputs } from "./part.ts";

/** The leads of one head: `first` and those after it, of all leads; sizes of its padded rows. */
export type Head = { first: number; horizon: number; width: number; outputs: number };

/** The head of the near leads and, where there is one, the far head. */
export function headsOf(shape: NetworkShape): Head[] {
  const head = (first: number, horizon: number): Head => {
    return { first, horizon, width: shape.targets * pad(horizon), outputs: paddedOutputs(shape, horizon) };
  };
  const { horizon, far } = shape;
  return [head(0, horizon), ...(far ? [head(horizon, far.horizon)] : [])];
}
