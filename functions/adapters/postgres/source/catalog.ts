import pg from "pg";
import type { Source } from "../../../config/source.ts";

/** Runs one statement and gives back its rows. */
export type Query = <Row>(sql: string, parameters?: readonly unknown[]) => Promise<Row[]>;

/** A column; its type without modifiers, that of a domain resolved. */
export type Column = { name: string; type: string; is_granted: boolean };
/** A table or view as the catalogue knows it. */
export type Relation = {
  oid: number;
  schema: string;
  name: string;
  kind: string;
  columns: Column[];
  may_use_schema: boolean;
};

/** Quotes an identifier for SQL. */
export function ident(name: string): string {
  return pg.escapeIdentifier(name);
}

/** The relation of that name, in `schema` or else along the search path; null where there is none. */
export async function findRelation(query: Query, schema: string | null, table: string): Promise<Relation | null> {
  const [relation] = await query<Relation>(
    `select c.oid::int8 as oid, n.nspname::text as schema, c.relname::text as name, c.relkind::text as kind,
       has_schema_privilege(n.oid, 'usage') as may_use_schema,
       (select json_agg(json_build_object(
           'name', a.attname, 'type', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null),
           'is_granted', has_column_privilege(c.oid, a.attnum, 'select')
         ) order by a.attnum)
         from pg_attribute a join pg_type t on t.oid = a.atttypid
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relname = $2
       and case when $1::text is null then pg_table_is_visible(c.oid) else n.nspname = $1::text end`,
    [schema, table],
  );
  return relation ? { ...relation, columns: relation.columns ?? [] } : null;
}

/** Says that the mapped table is missing, and which ones are like it. */
export async function describeMissing(
  query: Query,
  source: Pick<Source, "sensorColumn"> & Partial<Pick<Source, "timeColumn">>,
  schema: string | null,
  table: string,
): Promise<string> {
  const rows = await query<{ name: string; columns: string[] }>(
    `select n.nspname || '.' || c.relname as name,
       array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0) as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     order by 1 limit 1000`,
  );
  const wanted = schema === null ? table : `${schema}.${table}`;
  const near = rows
    .map(({ name, columns }) => {
      const bare = name.slice(name.indexOf(".") + 1);
      const hasColumns = columns.includes(source.sensorColumn) || columns.includes(source.timeColumn ?? "");
      return { name, distance: Math.min(distance(bare, table), distance(name, wanted)) - (hasColumns ? 3 : 0) };
    })
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 5)
    .map(({ name }) => name);
  const hint = near.length > 0 ? `there are: ${near.join(", ")}` : "the database has no tables that this role knows of";
  return `there is no table or view "${wanted}"; ${hint}. Set "schema" and "table" of SOURCE_CONFIG`;
}

/** Says that a mapped column is missing, and which ones there are. */
export function missingColumn(relation: Relation, name: string, what: string): string {
  const there = relation.columns.map((column) => `${column.name} (${column.type})`).join(", ");
  return `${what} "${name}" is not in ${relation.schema}.${relation.name}, which has: ${there}`;
}

/** Says that the role may not read a column, and the grant that it needs. */
export function missingGrant(relation: Relation, name: string): string {
  const table = `${ident(relation.schema)}.${ident(relation.name)}`;
  return `the role may not read column "${name}": run  grant select on ${table} to <role>`;
}

/** Edits between two names (Levenshtein), ignoring case. */
function distance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const swap = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap);
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
