import type { LateArrivals } from "../../../../core/ports.ts";
import { addSeconds } from "../../../../core/time.ts";
import type { Query } from "./catalog.ts";
import { arrivalMarkQuery, lateArrivalsQuery, type Statement } from "./follower-queries.ts";
import type { ResolvedSource } from "./source-catalog.ts";
import { doubledHoursOf } from "./wall-clock.ts";

/** The planner's cost up to which a statement is run each cycle; a large table without an index is dearer. */
const mostCost = 50_000;
const daySeconds = 86_400;

/** Which sensors have late readings, by the source's column of arrivals; see `Follower.arrivedLate`. */
export async function lateArrivals(
  query: Query,
  from: ResolvedSource,
  since: string | null,
  before: Date,
  upTo: Date,
): Promise<LateArrivals> {
  const isAmbiguous = doubledHoursOf(from, addSeconds(before, -daySeconds), upTo).length > 0;
  const asking = arrivalMarkQuery(from);
  const isTold = asking !== null && (await costOf(query, { sql: asking, parameters: [] })) <= mostCost;
  const [newest] = isTold ? await query<{ mark: string | null }>(asking, []) : [];
  const mark = newest?.mark ?? null;
  if (mark === null || since === null) return { mark, sensorIds: [], isAmbiguous };
  const statement = lateArrivalsQuery(from, since, before);
  if ((await costOf(query, statement)) > mostCost) return { mark, sensorIds: null, isAmbiguous };
  const rows = await query<{ id: string }>(statement.sql, statement.parameters);
  return { mark, sensorIds: rows.map(({ id }) => id), isAmbiguous };
}

async function costOf(query: Query, { sql, parameters }: Statement): Promise<number> {
  const rows = await query<{ "QUERY PLAN": [{ Plan: { "Total Cost": number } }] }>(
    `explain (format json) ${sql}`,
    parameters,
  );
  return rows[0]?.["QUERY PLAN"][0].Plan["Total Cost"] ?? Number.POSITIVE_INFINITY;
}
