import { quantityNamed } from "../../../config/quantities.ts";
import type { TimeFormat } from "../../../config/source.ts";
import { guessConversion } from "../../../config/units.ts";
import { type Column, ident, type Query } from "./catalog.ts";
import { proposeSensors } from "./propose-sensors.ts";

/** A mapping for SOURCE_CONFIG, the better the higher its score; `notes` say what was guessed. */
export type Proposal = { table: string; score: number; mapping: Record<string, unknown>; notes: string[] };

type Table = { schema: string; name: string; rows: number; columns: Column[] };

const sensorTypes = ["smallint", "integer", "bigint", "text", "character varying", "character", "uuid"];
const numberTypes = ["smallint", "integer", "bigint", "numeric", "real", "double precision"];
const textTypes = ["text", "character varying", "character"];
const sensorNames = [
  /^(sensor|device|entity|node|station|thing|meter)_?(id|eui|name|key|no)?$/i,
  /^(dev_?eui|mac|serial(_?no)?|tag|location|room)$/i,
  /_id$/i,
  /^(name|id)$/i,
];
const timeNames = [
  /^(timestamp|time|ts|measured(_at)?|recorded(_at)?|observed(_at)?|at|datetime|date_?time)$/i,
  /(time|_ts|_at|epoch|date)/i,
];
const keyNames =
  /^(kind|type|metric|quantity|measure(ment)?|parameter|param|field|attribute|variable|channel|property|key|target)(_?(name|id|type))?$/i;
const valueNames = /^(value|val|reading|state|amount|level|result|data|numeric_value)$/i;
const sampleRows = 2000;
const mostProposals = 3;

/** Mappings that the catalogue and a few rows of each readable table suggest, best first. */
export async function proposeMappings(query: Query): Promise<Proposal[]> {
  const proposals: Proposal[] = [];
  for (const table of await readableTables(query)) {
    const proposal = await proposeTable(query, table);
    if (proposal !== null) proposals.push(proposal);
  }
  return proposals.toSorted((a, b) => b.score - a.score).slice(0, mostProposals);
}

async function readableTables(query: Query): Promise<Table[]> {
  return query<Table>(
    `select n.nspname::text as schema, c.relname::text as name, greatest(c.reltuples, 0)::float8 as rows,
       (select json_agg(json_build_object('name', a.attname, 'type', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null),
           'is_granted', true) order by a.attnum)
         from pg_attribute a join pg_type t on t.oid = a.atttypid
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition and n.nspname !~ '^(pg_|_timescaledb)'
       and n.nspname <> 'information_schema' and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
     order by c.reltuples desc limit 200`,
  );
}

async function proposeTable(query: Query, table: Table): Promise<Proposal | null> {
  const columns = table.columns ?? [];
  const time = await findTime(query, table, columns);
  const sensor = best(
    columns.filter(({ type, name }) => sensorTypes.includes(type) && name !== time?.column.name),
    sensorNames,
  );
  if (time === null || sensor === null) return null;
  const rest = columns.filter(({ name }) => name !== time.column.name && name !== sensor.column.name);
  const layout = (await proposeLong(query, table, rest)) ?? (await proposeWide(query, table, rest));
  if (layout === null) return null;
  const named = await proposeSensors(query, { ...table, sensorColumn: sensor.column.name });
  return {
    table: `${table.schema}.${table.name}`,
    score: sensor.score + time.score + 3 * layout.targets.length + Math.log10(1 + table.rows),
    mapping: {
      ...layout.mapping,
      schema: table.schema,
      table: table.name,
      sensorColumn: sensor.column.name,
      timeColumn: time.column.name,
      ...time.mapping,
      ...(named === null ? {} : { sensors: named.sensors }),
      targets: layout.targets,
    },
    notes: [...time.notes, ...layout.notes, ...(named === null ? [] : [named.note])],
  };
}

function best(columns: Column[], patterns: RegExp[]): { column: Column; score: number } | null {
  for (const [i, pattern] of patterns.entries()) {
    const column = columns.find(({ name }) => pattern.test(name));
    if (column) return { column, score: patterns.length - i };
  }
  return null;
}

type TimeGuess = {
  column: Column;
  score: number;
  mapping: { timeFormat?: TimeFormat; timeZone?: string };
  notes: string[];
};

async function findTime(query: Query, table: Table, columns: Column[]): Promise<TimeGuess | null> {
  const ofType = (...types: string[]) => columns.filter(({ type }) => types.includes(type));
  const stamps = ofType("timestamp with time zone");
  const named = best(stamps, timeNames) ?? (stamps[0] ? { column: stamps[0], score: 1 } : null);
  if (named) return { ...named, score: named.score + 3, mapping: {}, notes: [] };
  const walls = ofType("timestamp without time zone");
  const wall = best(walls, timeNames) ?? (walls[0] ? { column: walls[0], score: 1 } : null);
  if (wall) {
    const note = `"${wall.column.name}" has no time zone: UTC is a guess, set "timeZone" to the one whose wall clock it shows`;
    return { ...wall, score: wall.score + 2, mapping: { timeZone: "UTC" }, notes: [note] };
  }
  const counted = best(ofType(...numberTypes), timeNames);
  if (counted) {
    const [newest] = await sample(query, table, `max(${ident(counted.column.name)})::float8`);
    const timeFormat = formatOf(newest ?? 0);
    if (timeFormat) return { ...counted, mapping: { timeFormat }, notes: [] };
  }
  const text = best(ofType(...textTypes), timeNames);
  return (
    text && {
      ...text,
      mapping: {},
      notes: [`"${text.column.name}" is text: ISO 8601 is read, anything else counts as missing`],
    }
  );
}

/** By size: seconds of this century have ten digits. */
function formatOf(newest: number): TimeFormat | null {
  if (newest > 9e14 && newest < 1e16) return "microseconds";
  if (newest > 9e11 && newest < 1e13) return "milliseconds";
  return newest > 9e8 && newest < 1e10 ? "seconds" : null;
}

type Layout = { mapping: Record<string, unknown>; targets: Record<string, unknown>[]; notes: string[] };

async function proposeLong(query: Query, table: Table, columns: Column[]): Promise<Layout | null> {
  const key = columns.find(
    ({ name, type }) => keyNames.test(name) && (textTypes.includes(type) || type.includes("USER")),
  );
  const value = columns.find(
    ({ name, type }) => valueNames.test(name) && (numberTypes.includes(type) || textTypes.includes(type)),
  );
  if (!key || !value) return null;
  const keys = await query<{ key: string; middle: number | null }>(
    `select k as key, percentile_cont(0.5) within group (order by case when v ~ '^[-+]?\\d{1,15}(\\.\\d{1,15})?$' then v::float8 end) as middle
     from (select ${ident(key.name)}::text as k, ${ident(value.name)}::text as v from ${nameOf(table)} limit ${sampleRows * 10}) as q
     where k is not null group by k order by count(*) desc limit 20`,
  );
  const known = keys.flatMap(({ key: text, middle }) => {
    const target = quantityNamed(text);
    return target ? [{ ...targetOf(target, middle), key: text }] : [];
  });
  if (known.length === 0) return null;
  const left = keys
    .filter(({ key: text }) => quantityNamed(text) === null)
    .map(({ key: text }) => JSON.stringify(text));
  return {
    mapping: { layout: "long", targetColumn: key.name, valueColumn: value.name },
    targets: unique(known),
    notes: left.length === 0 ? [] : [`keys that were left out: ${left.join(", ")}`],
  };
}

async function proposeWide(query: Query, table: Table, columns: Column[]): Promise<Layout | null> {
  const targets: Record<string, unknown>[] = [];
  const left: string[] = [];
  for (const { name, type } of columns) {
    if (!numberTypes.includes(type) && !textTypes.includes(type)) continue;
    const target = quantityNamed(name);
    if (target === null) {
      if (numberTypes.includes(type) && !/(^id$|_id$)/i.test(name)) left.push(JSON.stringify(name));
      continue;
    }
    const text = `${ident(name)}::text`;
    const [middle] = await sample(
      query,
      table,
      `percentile_cont(0.5) within group (order by case when ${text} ~ '^[-+]?\\d{1,15}(\\.\\d{1,15})?$' then ${text}::float8 end)`,
    );
    targets.push({ ...targetOf(target, middle ?? null), ...(name === target.name ? {} : { column: name }) });
  }
  if (targets.length === 0) return null;
  return {
    mapping: {},
    targets: unique(targets),
    notes: left.length === 0 ? [] : [`columns that were left out: ${left.join(", ")}`],
  };
}

/** The target, with the conversion that brings its middle value into range. */
function targetOf(
  target: { name: string; unit: string; min: number; max: number },
  middle: number | null,
): Record<string, unknown> {
  if (middle === null || (middle >= target.min && middle <= target.max)) return { ...target };
  const guess = guessConversion(middle, target);
  return { ...target, ...(guess === null ? {} : (JSON.parse(`{${guess.set}}`) as object)) };
}

function unique(targets: Record<string, unknown>[]): Record<string, unknown>[] {
  return [...new Map(targets.map((target) => [target.name, target])).values()];
}

async function sample(query: Query, table: Table, expression: string): Promise<(number | null)[]> {
  const rows = await query<{ value: number | null }>(
    `select ${expression} as value from (select * from ${nameOf(table)} limit ${sampleRows}) as r`,
  );
  return rows.map(({ value }) => value);
}

function nameOf({ schema, name }: Table): string {
  return `${ident(schema)}.${ident(name)}`;
}
