import type { Query } from "./catalog.ts";
import { keysQuery, valuesQuery } from "./follower-queries.ts";
import type { ResolvedSource } from "./source-catalog.ts";

/** What the cells of one target hold, before any range: `present` are not null, `numeric` can be read as a number. */
export type CellFacts = { target: string; present: number; numeric: number; unreadable: string[] };

/** Counts cells of `sensorIds` in (after, upTo], per target; examples of what is no number. */
export async function countCells(
  query: Query,
  from: ResolvedSource,
  sensorIds: string[],
  after: Date,
  upTo: Date,
): Promise<CellFacts[]> {
  const { sql, parameters } = valuesQuery(from, sensorIds, after, upTo);
  const [row] = await query<Record<string, unknown>>(sql, parameters);
  return from.source.targets.map(({ name }, k) => ({
    target: name,
    present: Number(row?.[`present${k}`] ?? 0),
    numeric: Number(row?.[`numeric${k}`] ?? 0),
    unreadable: textsOf(row?.[`unreadable${k}`]),
  }));
}

/** The keys of a long layout with their counts among some of its rows, most frequent first; null for a wide one. */
export async function countKeys(query: Query, from: ResolvedSource): Promise<{ key: string; count: number }[] | null> {
  if (from.target === null) return null;
  const { sql, parameters } = keysQuery(from);
  return query<{ key: string; count: number }>(sql, parameters);
}

/** What row level security hides from this role: "all" where the table has rows and none is seen. */
export async function hiddenByPolicy(query: Query, from: ResolvedSource): Promise<"nothing" | "some" | "all"> {
  const [row] = await query<{ active: boolean; seen: boolean; rows: number }>(
    `select row_security_active(c.oid) as active, exists (select from ${from.table}) as seen,
       greatest(c.reltuples, pg_relation_size(c.oid) / 8192)::float8 as rows
     from pg_class as c where c.oid = $1 and c.relkind in ('r', 'p')`,
    [from.oid],
  );
  if (!row?.active) return "nothing";
  return row.seen ? "some" : row.rows > 0 ? "all" : "some";
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
