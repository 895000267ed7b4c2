import type { FleetEncoding } from "../../core/model/fleet/encoding.ts";
import { type RidgeMemory, recallRidge } from "../../core/model/fleet/recall.ts";
import { pickLeads } from "../../core/model/fleet/ridge.ts";
import { blockEnds } from "./cross-fit.ts";
import type { PartFit } from "./part.ts";

/** Ridge's changes at all points of the history, at each by the ridges that had not seen its block of time. */
export function crossMemory(
  encoding: FleetEncoding,
  { history, origins, part, unseen }: Pick<PartFit, "history" | "origins" | "part" | "unseen">,
): RidgeMemory {
  const ends = blockEnds(origins.length);
  const perBlock = unseen.map((ridge) => pickLeads(ridge, encoding, encoding.errorLeads));
  // Points before the first window belong to the first block.
  const last = ends.slice(1).map((to) => origins[to - 1] ?? -1);
  let block = 0;
  const weightsAt = (point: number) => {
    while (block < perBlock.length - 1 && point > last[block]!) block++;
    return perBlock[block]!;
  };
  return recallRidge(history, part, encoding, 0, history.values[0]!.length, weightsAt);
}
