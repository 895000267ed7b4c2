import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type Kysely, sql, type Transaction } from "kysely";
import type { Fingerprint, Leaf } from "../../../../core/operations/backup/manifest.ts";
import type { Piece, Snapshot } from "../../../../core/operations/backup/ports.ts";
import type { PredictorSchema } from "../schema.ts";
import { archiveOf } from "./archived.ts";

const compress = promisify(gzip);

/** Written by the migrations themselves, with the time at which they ran. */
const ofMigrations = ["kysely_migration", "kysely_migration_lock", "migration_note"];
/** Rows in a round trip, and characters in a file before it is compressed. */
const rowsAtOnce = 1000;
const pieceLength = 16_000_000;

/** Runs `use` on the database as it is now, read only; a statement may take minutes. */
export async function takeSnapshot<T>(
  db: Kysely<PredictorSchema>,
  codeVersion: string,
  use: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  return db
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute(async (transaction) => {
      // Numbers and times as texts are part of the checksum.
      await sql`select set_config('statement_timeout', '600s', true), set_config('timezone', 'UTC', true),
        set_config('datestyle', 'ISO', true), set_config('extra_float_digits', '1', true)`.execute(transaction);
      return use(snapshotOf(transaction, codeVersion));
    });
}

function snapshotOf(db: Transaction<PredictorSchema>, codeVersion: string): Snapshot {
  return {
    async migrations() {
      const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
      return rows.map(({ name }) => name);
    },
    leaves: async () =>
      (await tablesOf(db)).filter(({ isReadable }) => isReadable).map(({ isReadable: _, ...leaf }) => leaf),
    hidden: async () => (await tablesOf(db)).filter(({ isReadable }) => !isReadable).map(({ name }) => name),

    async fingerprint({ name }) {
      const { rows } = await sql<Fingerprint>`
        select count(*)::float8 as rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text as checksum
        from ${sql.table(name)} as t`.execute(db);
      return rows[0]!;
    },

    dump: (leaf) => dump(db, leaf),

    async sequences() {
      const { rows } = await sql<{ table: string; column: string; last: number }>`
        select c.relname as "table", a.attname as "column", s.last_value::float8 as last
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        join pg_sequences s on format('%I.%I', s.schemaname, s.sequencename)
          = pg_get_serial_sequence(format('%I.%I', c.relnamespace::regnamespace, c.relname), a.attname)
        where c.relnamespace = ${ownSchema} and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0
          and s.last_value is not null
        order by 1, 2`.execute(db);
      return rows;
    },

    archive: (leaf) => archiveOf(db, leaf, codeVersion),
  };
}

/** The schema that the tables lie in. */
export const ownSchema = sql`(select relnamespace from pg_class where oid = to_regclass('sensor'))`;

/** A table is after all that it refers to. */
async function tablesOf(db: Transaction<PredictorSchema>): Promise<(Leaf & { isReadable: boolean })[]> {
  const { rows } = await sql<Leaf & { isReadable: boolean; refersTo: string[] }>`
    select c.relname as name, coalesce(p.relname, c.relname) as "table",
      to_char(to_date(substring(c.relname from '^' || p.relname || '_(\\d{8})$'), 'YYYYMMDD'), 'YYYY-MM-DD') as day,
      has_table_privilege(c.oid, 'select') as "isReadable",
      array(select f.relname::text from pg_constraint k join pg_class f on f.oid = k.confrelid
        where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as "refersTo"
    from pg_class c left join pg_inherits i on i.inhrelid = c.oid left join pg_class p on p.oid = i.inhparent
    where c.relkind = 'r' and c.relnamespace = ${ownSchema} and c.relname <> all(${ofMigrations}::text[])
    order by 2, 1`.execute(db);
  const depthOf = (table: string, seen: string[] = []): number => {
    const own = rows.filter((row) => row.table === table && !seen.includes(table));
    return Math.max(0, ...own.flatMap((row) => row.refersTo.map((other) => 1 + depthOf(other, [...seen, table]))));
  };
  return rows
    .map(({ refersTo: _, ...leaf }) => ({ leaf, depth: depthOf(leaf.table) }))
    .sort((a, b) => a.depth - b.depth)
    .map(({ leaf }) => leaf);
}

async function* dump(db: Transaction<PredictorSchema>, { name }: Leaf): AsyncIterable<Piece> {
  const columns = (await columnsOf(db, name)).map((column) => sql.ref(column));
  if (columns.length === 0) return;
  await sql`declare dumped no scroll cursor for
    select row_to_json(x)::text as line from (select ${sql.join(columns)} from ${sql.table(name)}) as x`.execute(db);
  let lines: string[] = [];
  let length = 0;
  const take = async (): Promise<Piece> => {
    const piece = { rows: lines.length, bytes: new Uint8Array(await compress(lines.join("\n"))) };
    [lines, length] = [[], 0];
    return piece;
  };
  for (;;) {
    const { rows } = await sql<{ line: string }>`fetch ${sql.raw(String(rowsAtOnce))} from dumped`.execute(db);
    if (rows.length === 0) break;
    for (const { line } of rows) lines.push(line);
    length += rows.reduce((sum, { line }) => sum + line.length, 0);
    if (length > pieceLength) yield await take();
  }
  await sql`close dumped`.execute(db);
  if (lines.length > 0) yield await take();
}

/** What may be written of a table: generated columns come by themselves. */
export async function columnsOf(db: Kysely<PredictorSchema>, table: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select a.attname as name from pg_attribute a
    where a.attrelid = (select oid from pg_class where relname = ${table} and relnamespace = ${ownSchema})
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    order by a.attnum`.execute(db);
  return rows.map(({ name }) => name);
}
