import { everyLead, isEveryLead } from "../../../../core/model/leads.ts";
import { type Bytes, put, take, takeMany } from "../number-bytes.ts";

/** Adds leads as runs of the same distance; none for each step from the first on. */
export function putLeads(bytes: number[], leads: number[]): void {
  if (isEveryLead(leads)) {
    put(bytes, 0);
    return;
  }
  const runs: { first: number; count: number; by: number; last: number }[] = [];
  for (const lead of leads) {
    const run = runs.at(-1);
    if (run?.count === 1) Object.assign(run, { count: 2, by: lead - run.last, last: lead });
    else if (run && lead === run.last + run.by) Object.assign(run, { count: run.count + 1, last: lead });
    else runs.push({ first: lead, count: 1, by: 1, last: lead });
  }
  put(bytes, runs.length);
  for (const { first, count, by } of runs) for (const one of [first, count, by]) put(bytes, one);
}

/** The `count` leads that `putLeads` added. */
export function takeLeads(from: Bytes, count: number): number[] {
  const runs = take(from);
  if (runs === 0) return everyLead(count);
  return Array.from({ length: runs }, () => {
    const [first, length, by] = takeMany(from, 3) as [number, number, number];
    return Array.from({ length }, (_, i) => first + i * by);
  }).flat();
}
