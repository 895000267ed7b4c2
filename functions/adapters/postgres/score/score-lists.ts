import type { Score } from "../../../../core/forecast/score.ts";

/** A score's leads that are scored, list by list. */
export type Lists = {
  leads: number[];
  error: number[];
  pinball: number[];
  own: (number | null)[];
  persistence: (number | null)[];
  seasonal: (number | null)[];
  covered: boolean[];
  ownCovered: boolean[];
  isOwn: boolean;
};

/** What is packed of a score; `isOwn` where its model alone said anything else. */
export function listsOf(score: Score): Lists {
  const lists: Lists = {
    ...{ leads: [], error: [], pinball: [], own: [], persistence: [], seasonal: [], covered: [], ownCovered: [] },
    isOwn: false,
  };
  for (let h = 0; h < score.leads.length; h++) {
    const error = score.error[h];
    if (error == null) continue;
    const [pinball, own] = [score.pinball[h] ?? 0, score.ownPinball[h] ?? null];
    const [covered, ownCovered] = [score.isCovered[h] === true, score.ownIsCovered[h] === true];
    lists.leads.push(score.leads[h]!);
    lists.error.push(error);
    lists.pinball.push(pinball);
    lists.own.push(own);
    lists.persistence.push(score.persistenceError[h] ?? null);
    lists.seasonal.push(score.seasonalNaiveError[h] ?? null);
    lists.covered.push(covered);
    lists.ownCovered.push(ownCovered);
    if (own === null || Math.fround(own) !== Math.fround(pinball) || covered !== ownCovered) lists.isOwn = true;
  }
  return lists;
}

/**
 * Scored leads, covered ones, sums of absolute errors and persistence's, leads with a seasonal naive, their errors' sum
 * and that of the errors there, 0 where all have one. Of what is read back, so that it does not matter who sums; in
 * steps of `perUnit` a unit, or the bits of a float32.
 */
export function sumsOf({ error, persistence, seasonal, covered }: Lists, perUnit: number | null): number[] {
  const n = error.length;
  let [hits, errors, lasts, yesterdays, naive, paired] = [0, 0, 0, 0, 0, 0];
  for (let h = 0; h < n; h++) {
    const size = Math.abs(Math.fround(error[h]!));
    const yesterday = seasonal[h] ?? null;
    if (covered[h]) hits++;
    errors += size;
    lasts += Math.abs(Math.fround(persistence[h] ?? 0));
    if (yesterday === null) continue;
    yesterdays++;
    naive += Math.abs(Math.fround(yesterday));
    paired += size;
  }
  const sum = (value: number) => (perUnit === null ? bitsOf(value) : Math.round(value * perUnit));
  return [n, hits, sum(errors), sum(lasts), yesterdays, sum(naive), yesterdays === n ? 0 : sum(paired)];
}

const word = new DataView(new ArrayBuffer(4));

/** A number as float32, in bits. */
export function bitsOf(value: number): number {
  word.setFloat32(0, value);
  return word.getUint32(0);
}

/** What `bitsOf` was given, as float32. */
export function floatOf(bits: number): number {
  word.setUint32(0, bits);
  return word.getFloat32(0);
}
