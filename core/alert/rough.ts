import { type Corridor, pathGrid, stayingWithin, tie } from "./path.ts";

/** How far a rough chance is from the fine one at most; `test/core/alert/rough.test.ts` holds it to that. */
export const roughError = 0.06;

const coarseGrid = pathGrid(40);
/** Leads of which the first is more than this share of the last are looked at together. */
const nearShare = 0.8;
/**
 * A path that is looked at seldom crosses as one that is looked at always and whose limit is this many spreads of a
 * step further off (Broadie, Glasserman & Kou 1997).
 */
const unseenSpreads = 0.5826;

/** The share of paths that have stayed within up to each of `leads`, the last ones of those looked at together. */
export type RoughPath = { leads: number[]; shares: number[] };

/**
 * What `stayingWithin` gives of the leads from index `from` on, at a tenth of its cost: on a coarse grid, and of leads
 * that lie near each other the tightest alone, narrower by what is not seen between.
 */
export function roughlyStaying(leads: ArrayLike<number>, { low, high }: Corridor, from: number): RoughPath {
  const seen: number[] = [];
  const ends: number[] = [];
  const corridor: { low: number[]; high: number[] } = { low: [], high: [] };
  for (let h = from; h < leads.length; ) {
    let tightest = h;
    let end = h + 1;
    while (end < leads.length && leads[h]! > nearShare * leads[end]!) {
      if (Math.max(low[end]!, -high[end]!) > Math.max(low[tightest]!, -high[tightest]!)) tightest = end;
      end++;
    }
    const lead = leads[tightest]!;
    const before = tightest === 0 ? lead : leads[tightest - 1]!;
    const unseen = unseenSpreads * Math.max(0, spreadOf(seen.at(-1) ?? lead, lead) - spreadOf(before, lead));
    seen.push(lead);
    ends.push(leads[end - 1]!);
    corridor.low.push(low[tightest]! + unseen);
    corridor.high.push(high[tightest]! - unseen);
    h = end;
  }
  return { leads: ends, shares: stayingWithin(seen, corridor, { grid: coarseGrid }) };
}

/** The spread of a path's score at `lead` once that at `before` is known. */
function spreadOf(before: number, lead: number): number {
  return Math.sqrt(1 - (before / lead) ** (2 * tie));
}
