import { sql } from "kysely";
import type { ForecastQuery } from "../../../../core/forecast/forecast.ts";
import { addSeconds } from "../../../../core/time.ts";
import type { Views } from "../../../../core/views.ts";

export type ForecastViews = Pick<
  Views,
  "latestForecasts" | "newestForecasts" | "forecasts" | "forecastsOfSlot" | "leadSeries"
>;

const daySeconds = 86_400;
const lookBackDays = [2, 30];
/** An origin lies behind its slot by less than this many times what a forecast spans: what is older is withheld. */
const mostSpansBehind = 3;

/**
 * Since when the newest forecasts before a moment are looked for, one after the other until there are enough; null:
 * since ever. The database plans a statement for each day that it may touch: over 400 of them that takes a hundred
 * times what reading a row does.
 */
export function lookBack(newest: Date | null): (Date | null)[] {
  return newest === null ? [null] : [...lookBackDays.map((days) => addSeconds(newest, -days * daySeconds)), null];
}

/** The slots of origins before `to` lie before this moment; null where nothing bounds them. */
export function slotsEnd(to: Date | null, spanSeconds: number): Date | null {
  return to === null ? null : addSeconds(to, mostSpansBehind * spanSeconds);
}

/** What had been issued by a moment; its origin cannot be later, which the index knows. */
export function issuedBy(alias: "f" | "i", asOf: Date | null) {
  if (asOf === null) return sql`true`;
  const of = (column: string) => sql.ref(`${alias}.${column}`);
  const parts = [sql`${of("issued_at")} <= ${asOf}`, sql`${of("origin")} <= ${asOf}`];
  // Nor can its slot, by which days are left out.
  if (alias === "i") parts.push(sql`i.slot <= ${asOf}`);
  return sql.join(parts, sql` and `);
}

export function within(alias: "f" | "i", { from, to, asOf }: Pick<ForecastQuery, "from" | "to" | "asOf">) {
  const origin = sql.ref(`${alias}.origin`);
  const parts = [issuedBy(alias, asOf)];
  if (from !== null) parts.push(sql`${origin} >= ${from}`);
  // An origin is never after its slot.
  if (from !== null && alias === "i") parts.push(sql`i.slot >= ${from}`);
  if (to !== null) parts.push(sql`${origin} < ${to}`);
  return sql.join(parts, sql` and `);
}
