import pg from "pg";
import { AppError } from "../../../../core/errors.ts";
import type { Source } from "../../../config/source.ts";
import {
  type Column,
  describeMissing,
  findRelation,
  ident,
  missingColumn,
  missingGrant,
  type Query,
} from "./catalog.ts";
import { resolveTime, type SourceTime } from "./source-time.ts";

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
  time: SourceTime;
  /** What rises as readings arrive; null where nothing does. */
  order: { sql: string; name: string; type: string } | null;
  /**
   * Expression of each target's value as float8, null where it is no number, in the order of `source.targets`; in
   * `long`, of the one value.
   */
  values: string[];
  /** The same as they stand in the table, as text. */
  rawValues: string[];
  /** Columns that rows are chosen by, and what they may hold. */
  filter: { sql: string; type: string; accepted: (string | null)[] }[];
  /** The long layout's target column, quoted, and the type that keys are cast to; `isCast` ones cannot use an index. */
  target: { sql: string; type: string; isCast: boolean } | null;
};

export type SensorType = "smallint" | "integer" | "bigint" | "text" | "bpchar" | "uuid";

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
  const timeColumn = column(source.timeColumn, "timeColumn");
  const time = timeColumn && resolveTime(source, timeColumn);
  if (time?.ok === false) problems.push(time.problem);
  const values = valueColumns(source).map(({ name, what, path }) => {
    const value = column(name, what);
    const resolved = value && resolveValue(value, path);
    if (value && !resolved) problems.push(valueProblem(value, what, path));
    return resolved ?? { number: "", raw: "" };
  });
  const order = resolveOrder(source, relation.columns, column);
  if (order?.ok === false) problems.push(order.problem);
  const filter = resolveFilter(source, column);
  const target = source.layout === "long" ? column(source.targetColumn, "targetColumn") : null;
  if (problems.length > 0 || !sensor || !sensorType || !time?.ok)
    return { ok: false, problems: [...new Set(problems)] };
  return {
    ok: true,
    resolved: {
      source,
      schema: ident(relation.schema),
      table: `${ident(relation.schema)}.${ident(relation.name)}`,
      oid: relation.oid,
      kind: relation.kind === "v" ? "view" : "table",
      sensor: { sql: `r.${ident(sensor.name)}`, type: sensorType },
      time: time.time,
      order: order?.ok ? { sql: `r.${ident(order.name)}`, name: order.name, type: order.type } : null,
      values: values.map(({ number }) => number),
      rawValues: values.map(({ raw }) => raw),
      filter,
      target: target && targetSql(target),
    },
  };
}

/** Columns that rows are chosen by; `column` finds one, or notes that it is missing. */
export function resolveFilter(
  { filter = {} }: Pick<Source, "filter">,
  column: (name: string, what: string) => Column | null,
): ResolvedSource["filter"] {
  return Object.entries(filter).flatMap(([name, accepted]) => {
    const found = column(name, "filter");
    if (found === null) return [];
    const values = [accepted].flat().map((one) => (one === null ? null : String(one)));
    return [{ sql: `r.${ident(found.name)}`, type: found.type, accepted: values }];
  });
}

const wholeTypes = ["smallint", "integer", "bigint", "numeric"];
const orderTypes = [...wholeTypes, "timestamp with time zone", "timestamp without time zone"];

/** The column that rises as readings arrive: the one that is named, or a running number called "id". */
function resolveOrder(
  { arrivalColumn }: Source,
  columns: Column[],
  column: (name: string, what: string) => Column | null,
): { ok: true; name: string; type: string } | { ok: false; problem: string } | null {
  if (arrivalColumn === undefined) {
    const id = columns.find(({ name, type, is_granted }) => name === "id" && wholeTypes.includes(type) && is_granted);
    return id === undefined ? null : { ok: true, name: id.name, type: id.type };
  }
  const found = column(arrivalColumn, "arrivalColumn");
  if (found === null) return null;
  if (orderTypes.includes(found.type)) return { ok: true, name: found.name, type: found.type };
  const problem = `arrivalColumn "${found.name}" is ${found.type}: a running number or a time of arrival is needed`;
  return { ok: false, problem };
}

/** The resolved source, or misconfigured with every problem. */
export async function resolveOrThrow(query: Query, source: Source): Promise<ResolvedSource> {
  const result = await resolveSource(query, source);
  if (result.ok) return result.resolved;
  throw new AppError("misconfigured", `the source cannot be read:\n- ${result.problems.join("\n- ")}`);
}

/** Types that ids are read of. */
export const sensorTypes: Record<string, SensorType> = {
  smallint: "smallint",
  integer: "integer",
  bigint: "bigint",
  text: "text",
  "character varying": "text",
  character: "bpchar",
  uuid: "uuid",
};

const numberTypes: Record<string, (column: string) => string> = {
  "double precision": (column) => column,
  real: (column) => `${column}::float8`,
  smallint: (column) => `${column}::float8`,
  integer: (column) => `${column}::float8`,
  bigint: (column) => `${column}::float8`,
  // One beyond float8 would end the whole query.
  numeric: (column) => `case when abs(${column}) < 1e300 then ${column}::float8 end`,
};
const textTypes = ["text", "character varying", "character"];
const jsonTypes = ["json", "jsonb"];
/**
 * What is cast must be a number to the last character: one "unavailable" would end the query for every sensor in it.
 */
const numberPattern = "^\\s*[-+]?(\\d{1,30}(\\.\\d{0,30})?|\\.\\d{1,30})([eE][-+]?\\d{1,2})?\\s*$";

/** A column's value as float8 and as text; null where it cannot be read as a number. */
function resolveValue({ name, type }: Column, path: string[] | undefined): { number: string; raw: string } | null {
  const sql = `r.${ident(name)}`;
  if (jsonTypes.includes(type)) {
    if (path === undefined) return null;
    const text = `(${sql} #>> ${literalOf(path)})`;
    return { number: numberIn(text), raw: text };
  }
  if (path !== undefined) return null;
  if (textTypes.includes(type)) return { number: numberIn(sql), raw: sql };
  const number = numberTypes[type]?.(sql);
  return number === undefined ? null : { number, raw: `${sql}::text` };
}

function numberIn(text: string): string {
  return `case when ${text} ~ '${numberPattern}' then ${text}::float8 end`;
}

/** A text[] literal. */
function literalOf(path: string[]): string {
  const keys = path.map((key) => `"${key.replace(/[\\"]/g, "\\$&")}"`).join(",");
  return `${pg.escapeLiteral(`{${keys}}`)}::text[]`;
}

function valueProblem({ name, type }: Column, what: string, path: string[] | undefined): string {
  const is = `${what} "${name}" is ${type}`;
  if (jsonTypes.includes(type))
    return `${is}: say where the number stands in it, for example "path": "payload.temperature"`;
  if (path !== undefined) return `${is}, not JSON: remove "path"`;
  return `${is}: a number is needed; map another column, or a view that casts it`;
}

/** Types with an index-friendly equality keep it; anything else (an enum, say) is compared as text. */
function targetSql(column: Column): NonNullable<ResolvedSource["target"]> {
  const type = sensorTypes[column.type];
  const sql = `r.${ident(column.name)}`;
  const isText = type === "text" || type === "bpchar";
  return isText ? { sql, type, isCast: false } : { sql: `${sql}::text`, type: "text", isCast: true };
}

function valueColumns(source: Source): { name: string; what: string; path: string[] | undefined }[] {
  if (source.layout === "long") return [{ name: source.valueColumn, what: "valueColumn", path: source.path }];
  return source.targets.map((target) => ({
    name: target.column ?? target.name,
    what: `column of target ${target.name}`,
    path: target.path,
  }));
}

/** Schema, where one is named, and table. */
export function splitName(source: Pick<Source, "schema" | "table">): { schema: string | null; table: string } {
  if (source.schema !== undefined) return { schema: source.schema, table: source.table };
  const dot = source.table.indexOf(".");
  if (dot <= 0) return { schema: null, table: source.table };
  return { schema: source.table.slice(0, dot), table: source.table.slice(dot + 1) };
}
