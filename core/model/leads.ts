const nearLeads = 24;
const daySeconds = 86_400;
const hourSeconds = 3600;

/**
 * The leads that people need, ascending, in steps: each step to 24, then hourly (each step where steps are longer or an
 * hour is not a whole number of them) to 24 hours. At ten minutes these are 44.
 */
export function defaultLeads(stepSeconds: number): number[] {
  const near = Array.from({ length: nearLeads }, (_, i) => i + 1);
  const every = hourSeconds % stepSeconds === 0 ? hourSeconds / stepSeconds : 1;
  const last = Math.floor(daySeconds / stepSeconds);
  const first = Math.floor(nearLeads / every) * every + every;
  const far = Array.from({ length: Math.max(0, Math.floor((last - first) / every) + 1) }, (_, i) => first + i * every);
  return [...near, ...far];
}

/** Leads that follow each other closely, from the first on, and those beyond them. */
export function splitLeads(leads: number[]): { near: number[]; far: number[] } {
  const gap = leads.findIndex((lead, i) => i > 0 && lead - leads[i - 1]! > leads[0]!);
  const end = Math.min(gap < 0 ? leads.length : gap, Math.max(nearLeads, 1));
  return { near: leads.slice(0, end), far: leads.slice(end) };
}

/** Of ascending leads those nearest to the wanted ones, ascending and without repeats. */
export function nearestLeads(leads: number[], wanted: number[]): number[] {
  const nearest = wanted.map((want) =>
    leads.reduce((best, lead) => (Math.abs(lead - want) < Math.abs(best - want) ? lead : best)),
  );
  return [...new Set(nearest)].sort((a, b) => a - b);
}

/** At most `most` of ascending leads, evenly spread, the last one among them. */
export function thinLeads(leads: number[], most: number): number[] {
  if (leads.length <= most) return leads;
  return Array.from({ length: most }, (_, i) => leads[Math.ceil(((i + 1) * leads.length) / most) - 1]!);
}
