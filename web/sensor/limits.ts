/** Between which values a person wants the target; null: no limit on that side. */
export type OwnLimits = { low: number | null; high: number | null };

/** A part of the time axis, epoch milliseconds. */
export type Stretch = { from: number; to: number };

/** Where the line through `values` lies beyond the limit; it crosses where it is drawn to cross. Pure. */
export function stretchesBeyond(
  at: readonly number[],
  values: readonly (number | null | undefined)[],
  limit: number,
  side: "above" | "below",
): Stretch[] {
  const excess = (value: number) => (side === "above" ? value - limit : limit - value);
  const found: Stretch[] = [];
  let open: Stretch | null = null;
  let before: { at: number; excess: number } | null = null;
  values.forEach((value, i) => {
    if (value == null) return;
    const now = { at: at[i]!, excess: excess(value) };
    const from = before ?? now;
    // Where the two points lie on different sides, the line meets the limit between them.
    const meets = from.at + ((now.at - from.at) * from.excess) / (from.excess - now.excess || 1);
    if (now.excess > 0 && open === null) {
      open = { from: before === null ? now.at : meets, to: now.at };
      found.push(open);
    } else if (now.excess > 0) open!.to = now.at;
    else if (open !== null) {
      open.to = meets;
      open = null;
    }
    before = now;
  });
  return found.filter(({ from, to }) => to > from);
}

/** The value axis from `low` to `high`, wider where a limit lies less than the data's own height beyond it. */
export function reachLimits(low: number, high: number, own: OwnLimits | null): [number, number] {
  const reach = Math.max(high - low, Math.abs(high) * 0.02);
  const isNear = (limit: number | null | undefined): limit is number =>
    limit != null && limit > low - reach && limit < high + reach;
  const near = [own?.low, own?.high].filter(isNear);
  return [Math.min(low, ...near), Math.max(high, ...near)];
}
