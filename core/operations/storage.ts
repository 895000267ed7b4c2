import { addSeconds, secondsBetween } from "../time.ts";
import type { Retention } from "./retain.ts";

/** How large a day of a table is, with its indices. */
export type DaySize = { table: string; day: string; bytes: number };

/** What is stored in days of a table, and when the oldest of them goes. */
export type StoredDays = {
  table: string;
  keptDays: number;
  days: number;
  bytes: number;
  oldestDay: string;
  /** At the earliest. */
  goesAt: Date;
  goesBytes: number;
};

export type Storage = {
  tables: StoredDays[];
  /** What a day adds that is kept: yesterday's; null before there is one. */
  bytesPerDay: number | null;
  /** What goes in the next 24 h of what is kept. */
  freedPerDay: number;
  limitBytes: number | null;
  /** Null without a limit, or where it does not grow. */
  daysToLimit: number | null;
};

const daySeconds = 86_400;
/** It comes and goes within days. */
const passing = "issued_mix";

/** How many days each table with days is kept after the end of the day. */
export function keptDaysOf(retention: Retention): Record<string, number> {
  const { mixDays, forecastDays, cycleDays } = retention;
  // Scores of before have tables of their own.
  const scores = { scored_moment: forecastDays, scored: forecastDays, score: forecastDays };
  return { issued: forecastDays, ...scores, outcome: cycleDays, [passing]: mixDays };
}

/** How the database grows and when it is full, as of `now`. */
export function storageOf(
  sizes: DaySize[],
  { retention, bytes, limitBytes }: { retention: Retention; bytes: number; limitBytes: number | null },
  now: Date,
): Storage {
  const kept = keptDaysOf(retention);
  const tables = [...Map.groupBy(sizes, ({ table }) => table)].flatMap(([table, days]): StoredDays[] => {
    const keptDays = kept[table];
    const oldest = days.reduce((a, b) => (b.day < a.day ? b : a));
    if (keptDays === undefined) return [];
    const goesAt = addSeconds(new Date(`${oldest.day}T00:00:00Z`), (1 + keptDays) * daySeconds);
    const sum = days.reduce((total, day) => total + day.bytes, 0);
    const { day: oldestDay, bytes: goesBytes } = oldest;
    return [{ table, keptDays, days: days.length, bytes: sum, oldestDay, goesAt, goesBytes }];
  });
  const yesterday = addSeconds(now, -daySeconds).toISOString().slice(0, 10);
  const added = sizes.filter(({ table, day }) => day === yesterday && table !== passing);
  const bytesPerDay = added.length === 0 ? null : added.reduce((sum, day) => sum + day.bytes, 0);
  const freedPerDay = tables
    .filter(({ table, goesAt }) => table !== passing && secondsBetween(now, goesAt) < daySeconds)
    .reduce((sum, { goesBytes }) => sum + goesBytes, 0);
  const growth = (bytesPerDay ?? 0) - freedPerDay;
  const left = limitBytes === null ? null : Math.max(0, limitBytes - bytes);
  const daysToLimit = left === null || (growth <= 0 && left > 0) ? null : left === 0 ? 0 : left / growth;
  return { tables, bytesPerDay, freedPerDay, limitBytes, daysToLimit };
}
