import { ident, type Query } from "./catalog.ts";
import type { ResolvedSource } from "./source-catalog.ts";

/**
 * The statements that make the index which a window needs; null where one is there, or where a view hides more than one
 * table. For a view on one table the index is on what the view makes of its columns.
 */
export async function indexAdvice(query: Query, from: ResolvedSource): Promise<string | null> {
  const wanted = from.kind === "view" ? await behindView(query, from) : ofTable(from);
  if (wanted === null) return null;
  const indexes = await indexesOf(query, wanted.oid);
  const leads = (columns: string[]) =>
    wanted.accepted.some((prefix) => prefix.every((name, i) => bare(columns[i] ?? "") === bare(name)));
  if (indexes.some(leads)) return null;
  return `without an index every cycle reads the whole table. ${statementFor(await kindOf(query, wanted.oid), wanted)}`;
}

type Wanted = { oid: number; table: string; columns: string[]; accepted: string[][] };

function ofTable(from: ResolvedSource): Wanted {
  const { source } = from;
  const [sensor, time] = [ident(source.sensorColumn), ident(source.timeColumn)];
  const target = from.target === null ? null : ident(source.layout === "long" ? source.targetColumn : "");
  const isKeyIndexed = target !== null && from.target?.isCast === false;
  const columns = isKeyIndexed && target ? [sensor, target, time] : [sensor, time];
  const accepted = [[sensor, time], ...(target ? [[sensor, target, time]] : [])];
  return { oid: from.oid, table: from.table, columns, accepted };
}

/** What the view's sensor and time are made of, where it stands on one table and the planner reads that as it is. */
async function behindView(query: Query, from: ResolvedSource): Promise<Wanted | null> {
  const columns = [from.sensor.sql, ...(from.target ? [from.target.sql] : []), from.time.sql];
  const [row] = await query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
    `explain (verbose, format json) select ${columns.join(", ")} from ${from.table} as r`,
  );
  const plan = row?.["QUERY PLAN"][0]?.Plan;
  const { Output: output, Schema: schema, "Relation Name": name, Alias: alias } = plan ?? {};
  if (plan?.["Node Type"] !== "Seq Scan" || !output || !schema || !name || output.length !== columns.length)
    return null;
  const [relation] = await query<{ oid: number }>(
    "select format('%I.%I', $1::text, $2::text)::regclass::oid::int8 as oid",
    [schema, name],
  );
  const prefix = new RegExp(`(^|[^\\w"])"?${(alias ?? name).replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}"?\\.`, "g");
  const expressions = output.map((text) => text.replace(prefix, "$1"));
  const [sensor = "", time = ""] = [expressions[0], expressions.at(-1)];
  return relation
    ? {
        oid: relation.oid,
        table: `${ident(schema)}.${ident(name)}`,
        columns: expressions,
        accepted: [expressions, [sensor, time]],
      }
    : null;
}

type PlanNode = { "Node Type": string; "Relation Name"?: string; Schema?: string; Alias?: string; Output?: string[] };

async function indexesOf(query: Query, oid: number): Promise<string[][]> {
  const rows = await query<{ columns: string[] }>(
    `select array(
         select pg_get_indexdef(i.indexrelid, k, true) from generate_series(1, i.indnkeyatts) as k order by k
       ) as columns
     from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
     where i.indrelid = $1 and i.indisvalid and i.indpred is null and m.amname = 'btree'`,
    [oid],
  );
  return rows.map(({ columns }) => columns);
}

/** Postgres writes an expression with more or fewer parentheses and quotes from place to place. */
function bare(expression: string): string {
  return expression.replace(/[\s()"]/g, "");
}

async function kindOf(query: Query, oid: number): Promise<string> {
  const [row] = await query<{ kind: string }>("select relkind::text as kind from pg_class where oid = $1", [oid]);
  return row?.kind ?? "r";
}

function statementFor(kind: string, { table, columns }: Wanted): string {
  const list = columns
    .map((column) => (/^("[^"]*"|[a-z_][a-z0-9_]*)$/.test(column) ? column : `(${column})`))
    .join(", ");
  if (kind !== "p") return `On the primary, run\n    create index concurrently on ${table} (${list});`;
  return (
    `On the primary, run (it locks writes while it works; to avoid that, create it "on only" the parent, then\n` +
    `  concurrently on each partition, and attach those)\n    create index on ${table} (${list});`
  );
}
