import { AppError } from "../../../core/errors.ts";
import type { Source } from "../../config/source.ts";
import {
  type Column,
  describeMissing,
  findRelation,
  ident,
  missingColumn,
  missingGrant,
  type Query,
} from "./catalog.ts";

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
