import * as z from "zod";

const furthest = 86_400;
const most = 1_000;
const error =
  "must be leads in steps, ascending: numbers and ranges separated by commas, such as 1-24,30-144/6 for each step to 24 and then every sixth";
const part = /^(\d{1,6})(?:-(\d{1,6})(?:\/(\d{1,6}))?)?$/;

/** Text with leads in steps, such as `1-24,30-144/6`; ascending, 1,000 at most, none further than a day of seconds. */
export const leadsText = z.string().transform((text, context): number[] => {
  const leads = text.split(",").flatMap((one) => leadsOfPart(one.trim()) ?? Number.NaN);
  const problem = problemOf(leads);
  if (problem === null) return leads;
  context.addIssue({ code: "custom", message: problem });
  return z.NEVER;
});

function leadsOfPart(text: string): number[] | null {
  const found = part.exec(text);
  if (found === null) return null;
  const first = Number(found[1]);
  const last = Number(found[2] ?? first);
  const by = Number(found[3] ?? 1);
  if (by === 0 || last < first || (last - first) % by !== 0) return null;
  const count = (last - first) / by + 1;
  return Array.from({ length: Math.min(count, most + 1) }, (_, i) => first + i * by);
}

function problemOf(leads: number[]): string | null {
  if (leads.some((lead, i) => Number.isNaN(lead) || lead <= (leads[i - 1] ?? 0))) return error;
  if (leads.length > most) return `has more than ${most} leads: leave out some of the far ones, as in 1-24,30-144/6`;
  const far = leads.find((lead) => lead > furthest);
  return far === undefined ? null : `has lead ${far}, ${furthest} steps ahead are the most`;
}
