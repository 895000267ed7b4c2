import { isEveryLead, splitLeads } from "../model/leads.ts";
import { experts } from "./experts.ts";
import type { Mix } from "./mix.ts";

/**
 * How many leads, from the first on, each group ends after over which weights and widths are told: the first, up to a
 * quarter, a half and all of those that follow each other closely, and those beyond.
 */
function groupEnds(leads: number[]): number[] {
  const near = isEveryLead(leads) ? leads.length : splitLeads(leads).near.length;
  return [...new Set([1, Math.ceil(near / 4), Math.ceil(near / 2), near, leads.length])];
}

/** First and last lead of each group, in steps. */
export function shareGroups(leads: number[]): { firstLead: number; lastLead: number }[] {
  const ends = groupEnds(leads);
  return ends.map((end, i) => ({ firstLead: leads[ends[i - 1] ?? 0]!, lastLead: leads[end - 1]! }));
}

/**
 * What is kept of a mix for good, in thousandths: per group of leads the mean weight of each expert, then the mean
 * factors of the lower and the upper side.
 */
export function sharesOf({ weights, widths }: Mix, leads: number[]): number[] {
  const columns = [...weights, ...widths];
  const shares: number[] = [];
  let from = 0;
  for (const end of groupEnds(leads)) {
    for (const values of columns) shares.push(thousandths(values, from, end));
    from = end;
  }
  return shares;
}

/** The mean of the values in [from, to), of those that are there. */
function thousandths(values: number[], from: number, to: number): number {
  const end = Math.min(to, values.length);
  let sum = 0;
  for (let i = from; i < end; i++) sum += values[i]!;
  return Math.round((1000 * sum) / (end - from));
}

/**
 * A mix that has these shares in every lead of a group, and no longer the experts: it tells the same and teaches
 * nothing.
 */
export function mixOfShares(shares: number[], leads: number[], of: Pick<Mix, "learntThrough" | "challengerId">): Mix {
  const size = experts.length + 2;
  const ends = groupEnds(leads);
  const columns = Array.from({ length: size }, (_, column) =>
    ends.flatMap((end, i) => new Array<number>(end - (ends[i - 1] ?? 0)).fill(shares[i * size + column]! / 1000)),
  );
  return {
    experts: experts.map(() => null),
    weights: columns.slice(0, experts.length),
    widths: columns.slice(-2),
    middle: leads.map(() => 0),
    ...of,
  };
}
