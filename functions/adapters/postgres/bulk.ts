import { type RawBuilder, sql } from "kysely";
import type { Columns } from "./columns.ts";

/**
 * `json_to_recordset($1) as alias(column type, ...)`: thousands of rows, arrays included, in one parameter.
 * Dates go as ISO text with their milliseconds, numbers with every bit.
 */
export function recordset(rows: readonly object[], alias: string, columns: Columns): RawBuilder<unknown> {
  const definitions = Object.entries(columns).map(([name, { sqlType }]) => sql`${sql.ref(name)} ${sql.raw(sqlType)}`);
  return sql`json_to_recordset(${JSON.stringify(rows)}::json) as ${sql.ref(alias)}(${sql.join(definitions)})`;
}

/** The columns' names, for an insert's target list. */
export function names(columns: Columns, alias?: string): RawBuilder<unknown> {
  return sql.join(Object.keys(columns).map((name) => sql.ref(alias === undefined ? name : `${alias}.${name}`)));
}
