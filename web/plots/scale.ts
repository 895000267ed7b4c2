/** Round values for an axis: about `count` of them from at most `low` to at least `high`. Pure. */
export function roundTicks(low: number, high: number, count = 4): number[] {
  const width = high - low;
  if (!(width > 0)) return [low];
  const raw = width / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= raw) ?? raw;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** At most `most` indices of 0..count-1, evenly spread, first and last among them. */
export function spread(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  const picked = Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1)));
  return [...new Set(picked)];
}

/** The fewest decimals that tell neighbouring ticks `step` apart without rounding them. */
export function tickDecimals(step: number): number {
  for (let decimals = 0; decimals < 6; decimals++) {
    const scaled = step * 10 ** decimals;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * Math.max(1, scaled)) return decimals;
  }
  return 6;
}

const stridesSeconds = [60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/** Indices of the leads (in steps) that fall on round durations, at most `most`. */
export function leadTicks(leads: number[], stepSeconds: number, most: number): number[] {
  const seconds = (leads.at(-1) ?? 0) * stepSeconds;
  // Beyond two hours whole hours only: "1 h 30 min" is too long for an axis.
  const shortest = seconds > 7200 ? 3600 : 0;
  const stride = stridesSeconds.find((one) => one >= shortest && one % stepSeconds === 0 && seconds / one <= most);
  const round = leads.flatMap((lead, i) => (stride !== undefined && (lead * stepSeconds) % stride === 0 ? [i] : []));
  return round.length > 0 ? round : spread(leads.length, most);
}
