import { experts } from "./experts.ts";
import type { Mix } from "./mix.ts";

/**
 * First and last lead of each group over which weights and widths are told: the first, then up to a quarter, a half and
 * all.
 */
export function shareGroups(horizon: number): { firstLead: number; lastLead: number }[] {
  const ends = [...new Set([1, Math.ceil(horizon / 4), Math.ceil(horizon / 2), horizon])];
  return ends.map((lastLead, i) => ({ firstLead: i === 0 ? 1 : ends[i - 1]! + 1, lastLead }));
}

/**
 * What is kept of a mix for good, in thousandths: per group of leads the mean weight of each expert, then the mean
 * factors of the lower and the upper side.
 */
export function sharesOf({ weights, widths }: Mix): number[] {
  return shareGroups(widths[0]!.length).flatMap(({ firstLead, lastLead }) =>
    [...weights, ...widths].map((values) => {
      const ofGroup = values.slice(firstLead - 1, lastLead);
      return Math.round((1000 * ofGroup.reduce((sum, value) => sum + value, 0)) / ofGroup.length);
    }),
  );
}

/**
 * A mix that has these shares in every lead of a group, and no longer the experts: it tells the same and teaches
 * nothing.
 */
export function mixOfShares(shares: number[], horizon: number, of: Pick<Mix, "learntThrough" | "challengerId">): Mix {
  const size = experts.length + 2;
  const groups = shareGroups(horizon);
  const columns = Array.from({ length: size }, (_, column) =>
    groups.flatMap(({ firstLead, lastLead }, i) =>
      new Array<number>(lastLead - firstLead + 1).fill(shares[i * size + column]! / 1000),
    ),
  );
  return {
    experts: experts.map(() => null),
    weights: columns.slice(0, experts.length),
    widths: columns.slice(-2),
    ...of,
  };
}
