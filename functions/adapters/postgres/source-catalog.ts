import pg from "pg";
import { AppError } from "../../../core/errors.ts";
import type { Source } from "../../source.ts";

/** Runs one statement and gives back its rows. */
export type Query = <Row>(sql: string, parameters?: readonly unknown[]) => Promise<Row[]>;

/** A mapping that the catalogue has confirmed: quoted SQL, and the types that decide how values are compared. */
export type ResolvedSource = {
  source: Source;
  /** Quoted. */
  schema: string;
  /** Quoted and qualified. */
  table: string;
  oid: number;
  kind: "table" | "view";
  sensor: { sql: string; type: SensorType };
  time: { sql: string; isNaive: boolean };
  /** Quoted expression of each target's value as float8, in the order of `source.targets`; in `long`, of the one value. */
  values: string[];
  /** The long layout's target column, quoted, and the type that keys are cast to; `isCast` ones cannot use an index. */
  target: { sql: string; type: string; isCast: boolean } | null;
};

export type SensorType = "smallint" | "integer" | "bigint" | "text" | "bpchar" | "uuid";

type Column = { name: string; type: string; is_granted: boolean };
type Relation = { oid: number; schema: string; name: string; kind: string; columns: Column[]; may_use_schema: boolean };

/**
 * Finds the mapped table and columns in the catalogue, which every role may read. Gives either what to use, or every
 * mistake as a sentence that says what to change.
 */
export async function resolveSource(
  query: Query,
  source: Source,
): Promise<{ ok: true; resolved: ResolvedSource } | { ok: false; problems: string[] }> {
  const { schema, table } = splitName(source);
  const relation = await findRelation(query, schema, table);
  if (relation === null) return { ok: false, problems: [await describeMissing(query, source, schema, table)] };
  const problems: string[] = [];
  const column = (name: string, what: string): Column | null => {
    const found = relation.columns.find((candidate) => candidate.name === name);
    if (found === undefined) problems.push(missingColumn(relation, name, what));
    else if (!found.is_granted) problems.push(missingGrant(relation, name));
    return found ?? null;
  };

  if (!relation.may_use_schema) {
    problems.push(
      `the role may not use schema "${relation.schema}": run  grant usage on schema ${ident(relation.schema)} to <role>`,
    );
  }
  const sensor = column(source.sensorColumn, "sensorColumn");
  const sensorType = sensor && sensorTypes[sensor.type];
  if (sensor && !sensorType) {
    problems.push(
      `sensorColumn "${sensor.name}" is ${sensor.type}: integer, text and uuid are read; map a view that casts it`,
    );
  }
  const time = column(source.timeColumn, "timeColumn");
  if (time) problems.push(...timeProblems(source, time));
  const values = valueColumns(source).map(({ name, what }) => {
    const value = column(name, what);
    if (value && !(value.type in valueSql)) {
      problems.push(
        `${what} "${name}" is ${value.type}: a number is needed; map another column, or a view that casts it`,
      );
    }
    return value ? (valueSql[value.type]?.(`r.${ident(value.name)}`) ?? "") : "";
  });
  const target = source.layout === "long" ? column(source.targetColumn, "targetColumn") : null;
  if (problems.length > 0 || !sensor || !sensorType || !time) return { ok: false, problems: [...new Set(problems)] };
  return {
    ok: true,
    resolved: {
      source,
      schema: ident(relation.schema),
      table: `${ident(relation.schema)}.${ident(relation.name)}`,
      oid: relation.oid,
      kind: relation.kind === "v" ? "view" : "table",
      sensor: { sql: `r.${ident(sensor.name)}`, type: sensorType },
      time: { sql: `r.${ident(time.name)}`, isNaive: time.type === "timestamp without time zone" },
      values,
      target: target && targetSql(target),
    },
  };
}

/** The resolved source, or misconfigured with every problem. */
export async function resolveOrThrow(query: Query, source: Source): Promise<ResolvedSource> {
  const result = await resolveSource(query, source);
  if (result.ok) return result.resolved;
  throw new AppError("misconfigured", `the source cannot be read:\n- ${result.problems.join("\n- ")}`);
}

/** Quotes an identifier for SQL. */
export function ident(name: string): string {
  return pg.escapeIdentifier(name);
}

const sensorTypes: Record<string, SensorType> = {
  smallint: "smallint",
  integer: "integer",
  bigint: "bigint",
  text: "text",
  "character varying": "text",
  character: "bpchar",
  uuid: "uuid",
};

/** As float8; a numeric beyond float8 would end the whole query. */
const valueSql: Record<string, (column: string) => string> = {
  "double precision": (column) => column,
  real: (column) => `${column}::float8`,
  smallint: (column) => `${column}::float8`,
  integer: (column) => `${column}::float8`,
  bigint: (column) => `${column}::float8`,
  numeric: (column) => `case when abs(${column}) < 1e300 then ${column}::float8 end`,
};

/** Types with an index-friendly equality keep it; anything else (an enum, say) is compared as text. */
function targetSql(column: Column): NonNullable<ResolvedSource["target"]> {
  const type = sensorTypes[column.type];
  const sql = `r.${ident(column.name)}`;
  const isText = type === "text" || type === "bpchar";
  return isText ? { sql, type, isCast: false } : { sql: `${sql}::text`, type: "text", isCast: true };
}

function valueColumns(source: Source): { name: string; what: string }[] {
  if (source.layout === "long") return [{ name: source.valueColumn, what: "valueColumn" }];
  return source.targets.map((target) => ({
    name: target.column ?? target.name,
    what: `column of target ${target.name}`,
  }));
}

function timeProblems(source: Source, time: Column): string[] {
  if (time.type === "timestamp with time zone") {
    if (source.timeZone === undefined) return [];
    return [`timeColumn "${time.name}" is timestamptz and knows its moments by itself: remove "timeZone"`];
  }
  if (time.type !== "timestamp without time zone") {
    return [`timeColumn "${time.name}" is ${time.type}: timestamptz or timestamp is needed; map a view that casts it`];
  }
  if (source.timeZone !== undefined) return [];
  return [
    `timeColumn "${time.name}" is timestamp without time zone: say whose wall clock it shows, for example ` +
      '"timeZone": "UTC" or "timeZone": "Europe/Berlin"',
  ];
}

function splitName(source: Source): { schema: string | null; table: string } {
  if (source.schema !== undefined) return { schema: source.schema, table: source.table };
  const dot = source.table.indexOf(".");
  if (dot <= 0) return { schema: null, table: source.table };
  return { schema: source.table.slice(0, dot), table: source.table.slice(dot + 1) };
}

async function findRelation(query: Query, schema: string | null, table: string): Promise<Relation | null> {
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

async function describeMissing(query: Query, source: Source, schema: string | null, table: string): Promise<string> {
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
      const hasColumns = columns.includes(source.sensorColumn) || columns.includes(source.timeColumn);
      return { name, distance: Math.min(distance(bare, table), distance(name, wanted)) - (hasColumns ? 3 : 0) };
    })
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 5)
    .map(({ name }) => name);
  const hint = near.length > 0 ? `there are: ${near.join(", ")}` : "the database has no tables that this role knows of";
  return `there is no table or view "${wanted}"; ${hint}. Set "schema" and "table" of SOURCE_CONFIG`;
}

function missingColumn(relation: Relation, name: string, what: string): string {
  const there = relation.columns.map((column) => `${column.name} (${column.type})`).join(", ");
  return `${what} "${name}" is not in ${relation.schema}.${relation.name}, which has: ${there}`;
}

function missingGrant(relation: Relation, name: string): string {
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
