import { type RawBuilder, sql } from "kysely";
import type { Columns } from "./columns.ts";

/**
 * `rows as alias`, thousands of them, arrays included, in one parameter, and what they have in bytes one after the
 * other in a second: no text is made of it. Dates go as ISO text with their milliseconds, numbers with every bit.
 */
export function recordset(rows: readonly object[], alias: string, columns: Columns): RawBuilder<unknown> {
  const binary = Object.keys(columns).filter((name) => columns[name]!.sqlType === "bytea");
  if (binary.length > 0) return withBytes(rows, alias, columns, binary);
  const definitions = Object.entries(columns).map(([name, { sqlType }]) => sql`${sql.ref(name)} ${sql.raw(sqlType)}`);
  return sql`json_to_recordset(${JSON.stringify(rows)}::json) as ${sql.ref(alias)}(${sql.join(definitions)})`;
}

/** Each row's bytes as the place of their first one and their number. */
function withBytes(rows: readonly object[], alias: string, columns: Columns, binary: string[]): RawBuilder<unknown> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const placed = (rows as Record<string, unknown>[]).map((row) => {
    const own = { ...row };
    for (const name of binary) {
      const bytes = row[name] as Uint8Array | null;
      own[name] = bytes === null ? null : length + 1;
      own[`${name}_bytes`] = bytes?.length ?? null;
      if (bytes === null) continue;
      parts.push(bytes);
      length += bytes.length;
    }
    return own;
  });
  const isBinary = new Set(binary);
  const definitions = Object.entries(columns).map(([name, { sqlType }]) =>
    isBinary.has(name)
      ? sql`${sql.ref(name)} integer, ${sql.ref(`${name}_bytes`)} integer`
      : sql`${sql.ref(name)} ${sql.raw(sqlType)}`,
  );
  const fields = Object.keys(columns).map((name) => {
    const own = sql.ref(`r.${name}`);
    return isBinary.has(name)
      ? sql`substring(b.bytes from ${own} for ${sql.ref(`r.${name}_bytes`)}) as ${sql.ref(name)}`
      : own;
  });
  return sql`(
    select ${sql.join(fields)} from json_to_recordset(${JSON.stringify(placed)}::json) as r(${sql.join(definitions)}),
      (select ${Buffer.concat(parts, length)}::bytea as bytes) as b
  ) as ${sql.ref(alias)}`;
}

/** The columns' names, for an insert's target list. */
export function names(columns: Columns, alias?: string): RawBuilder<unknown> {
  return sql.join(Object.keys(columns).map((name) => sql.ref(alias === undefined ? name : `${alias}.${name}`)));
}
