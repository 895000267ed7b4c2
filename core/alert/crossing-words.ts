/** What may be crossed, how likely, and around when; what is not known is left out. */
export type CrossingWords = {
  low?: number | null | undefined;
  high?: number | null | undefined;
  unit?: string | undefined;
  chance?: number | undefined;
  /** RFC 3339. */
  crossesAt?: string | undefined;
};

/**
 * "above 26 °C from about 19:10 UTC, 35 %"; `clock` writes the moment, by default in UTC. Pure text, for API and
 * page.
 */
export function describeCrossing(
  { low, high, unit = "", chance, crossesAt }: CrossingWords,
  clock: (at: string) => string = utcClock,
): string {
  const when = crossesAt === undefined ? "soon" : clock(crossesAt);
  return `${describeLimits(low, high, unit)} from about ${when}, ${describeChance(chance)}`;
}

/** "above 26 °C", "outside 18 to 26 °C" */
export function describeLimits(low: number | null | undefined, high: number | null | undefined, unit = ""): string {
  const amount = (value: number) => `${describeNumber(value)}${unit === "" ? "" : ` ${unit}`}`;
  if (low == null && high == null) return "beyond its limits";
  if (low == null) return `above ${amount(high!)}`;
  if (high == null) return `below ${amount(low)}`;
  return `outside ${describeNumber(low)} to ${amount(high)}`;
}

/** Never "0 %" or "100 %" of what is only unlikely, or likely. */
export function describeChance(chance: number | undefined): string {
  if (chance === undefined) return "chance unknown";
  return chance > 0.99 ? "over 99 %" : chance < 0.01 ? "under 1 %" : `${Math.round(100 * chance)} %`;
}

export function describeNumber(value: number | undefined): string {
  return value === undefined ? "unknown" : String(Number(value.toPrecision(4)));
}

function utcClock(at: string): string {
  return `${at.slice(11, 16)} UTC`;
}
