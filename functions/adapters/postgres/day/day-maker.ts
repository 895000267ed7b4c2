import { type Kysely, sql } from "kysely";
import type { PredictorSchema } from "../schema.ts";

/** Years of days. */
const mostKnown = 10_000;

/** Sees to it, once each, that the days of these moments are there; anybody may repeat it. */
export function dayMaker(db: Kysely<PredictorSchema>): (moments: Date[]) => Promise<void> {
  const known = new Set<string>();
  return async (moments) => {
    if (known.size > mostKnown) known.clear();
    const days = new Set(moments.map((at) => at.toISOString().slice(0, 10)));
    for (const day of [...days].filter((one) => !known.has(one)).sort()) {
      await sql`select ensure_day(${day}::date)`.execute(db);
      known.add(day);
    }
  };
}
