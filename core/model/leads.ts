const nearLeads = 24;
const daySeconds = 86_400;
const hourSeconds = 3600;

/**
 * The leads that people need, ascending, in steps: each step to 24, then about hourly (each step where steps are
 * longer) to 24 hours. At ten minutes these are 44.
 */
export function defaultLeads(stepSeconds: number): number[] {
  const near = Array.from({ length: nearLeads }, (_, i) => i + 1);
  const every = Math.max(1, Math.floor(hourSeconds / stepSeconds));
  const last = Math.floor(daySeconds / stepSeconds);
  const first = Math.floor(nearLeads / every) * every + every;
  const far = Array.from({ length: Math.max(0, Math.floor((last - first) / every) + 1) }, (_, i) => first + i * every);
  return [...near, ...far];
}

/** Each step up to `count`. */
export function everyLead(count: number): number[] {
  const leads = new Array<number>(count);
  for (let i = 0; i < count; i++) leads[i] = i + 1;
  return leads;
}

/** Whether the leads are each step from the first on. */
export function isEveryLead(leads: number[]): boolean {
  return leads.every((lead, i) => lead === i + 1);
}

/** A model's leads: those that its manifest lists, or each step of its horizon. */
export function leadsOf({ leads, horizon }: { leads?: number[] | undefined; horizon: number }): number[] {
  return leads ?? everyLead(horizon);
}

/** The last of the leads: how many steps a forecast reaches ahead. */
export function lastLead(leads: number[]): number {
  return leads.at(-1) ?? 0;
}

/**
 * How many steps the leads that follow each other closely reach ahead: what windows, trials and ages are measured by.
 */
export function nearReach(leads: number[]): number {
  return lastLead(splitLeads(leads).near);
}

/** Where each of the wanted leads stands among `leads`; -1 where it does not. */
export function placesOf(leads: number[], wanted: number[]): number[] {
  return wanted.map((lead) => leads.indexOf(lead));
}

/** The leads as people write them: "1-24,30-144/6", each step to 24 and then every sixth. */
export function leadsText(leads: number[]): string {
  const runs: { first: number; last: number; by: number }[] = [];
  for (const lead of leads) {
    const run = runs.at(-1);
    if (run && run.first === run.last) [run.last, run.by] = [lead, lead - run.last];
    else if (run && lead === run.last + run.by) run.last = lead;
    else runs.push({ first: lead, last: lead, by: 1 });
  }
  const text = ({ first, last, by }: (typeof runs)[number]) =>
    first === last ? `${first}` : `${first}-${last}${by === 1 ? "" : `/${by}`}`;
  return runs.map(text).join(",");
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

/**
 * The groups that leads are reported in, those without any left out: 1, 2-6, 7-12, 13-24 and, beyond, in two halves.
 */
export function leadGroups(leads: number[]): number[][] {
  const { near, far } = splitLeads(leads);
  const ends = [1, 6, 12, near.length];
  const ofNear = ends.map((end, i) => near.slice(ends[i - 1] ?? 0, end));
  const half = Math.ceil(far.length / 2);
  return [...ofNear, far.slice(0, half), far.slice(half)].filter((group) => group.length > 0);
}
