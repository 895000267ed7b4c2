import { AppError } from "../../../../core/errors.ts";
import type { Log } from "../../../../core/ports.ts";
import type { Source } from "../../../config/source.ts";
import type { Database } from "../connection/pool.ts";
import type { Query } from "./catalog.ts";
import { indexAdvice } from "./index-advice.ts";
import { resolveSensorTable } from "./sensor-table.ts";
import { type ResolvedSource, resolveOrThrow } from "./source-catalog.ts";

/**
 * Refuses to start on a source that cannot be read as mapped, or whose role could write; asks the catalogue only.
 * Throws misconfigured with what to change. With `allowWritable` a writing role is a warning.
 */
export async function assertSource(
  database: Pick<Database<unknown>, "query">,
  source: Source,
  options: { allowWritable: boolean; log: Log },
): Promise<ResolvedSource> {
  const query: Query = database.query;
  const from = await resolveOrThrow(query, source);
  if (source.sensors !== undefined) await resolveSensorTable(query, source.sensors);
  const rights = await writeRights(query, from);
  if (rights !== null) {
    if (!options.allowWritable) throw new AppError("misconfigured", rights);
    options.log.warn("followerIsWritable", { message: rights });
  }
  const advice = await indexAdvice(query, from);
  if (advice !== null) options.log.warn("sourceNeedsIndex", { message: advice });
  return from;
}

/** What writeRights says of the source as it is mapped. Throws misconfigured where it cannot be read as mapped. */
export async function askWriteRights(query: Query, source: Source): Promise<string | null> {
  return writeRights(query, await resolveOrThrow(query, source));
}

type Writable = { name: string; is_owner: boolean; is_public: boolean };

/**
 * Why the role could write, and what to do about it; null for a role that only reads. A grant counts where it can be
 * used: extensions grant to PUBLIC in schemas that the role may not enter.
 */
export async function writeRights(query: Query, from: ResolvedSource): Promise<string | null> {
  const [role] = await query<{ name: string; is_super: boolean; tables: Writable[] }>(
    `with tables as (
       select c.oid, c.oid::regclass::text as name, pg_has_role(c.relowner, 'member') as is_owner,
         exists (
           select from aclexplode(c.relacl) as g where g.grantee = 0 and g.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
         ) as is_public
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p', 'f', 'v') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
         and has_schema_privilege(n.oid, 'usage')
         and (c.relkind <> 'v' or pg_relation_is_updatable(c.oid, false) & 28 <> 0)
         and (pg_has_role(c.relowner, 'member') or has_table_privilege(c.oid, 'insert, update, delete, truncate')
           or has_any_column_privilege(c.oid, 'insert, update'))
       order by c.oid <> $1, 2 limit 5
     )
     select current_user::text as name, (select rolsuper from pg_roles where rolname = current_user) as is_super,
       coalesce((select json_agg(tables) from tables), '[]') as tables`,
    [from.oid],
  );
  if (role === undefined || (!role.is_super && role.tables.length === 0)) return null;
  const named = (tables: Writable[]) => tables.map(({ name }) => name).join(", ");
  const owned = role.tables.filter(({ is_owner }) => is_owner);
  const why = role.is_super
    ? "is a superuser"
    : owned.length > 0
      ? `owns ${named(owned)}`
      : `may write ${named(role.tables)}`;
  return `the follower's role "${role.name}" ${why}. ${remedyFor(role.is_super ? [] : role.tables, from)}`;
}

/** Another role helps where this one has rights of its own; what PUBLIC may do, every role may. */
function remedyFor(tables: Writable[], from: ResolvedSource): string {
  const open = tables.filter(({ is_public }) => is_public).map(({ name }) => name);
  const isOpenOnly = open.length > 0 && tables.every(({ is_owner, is_public }) => is_public && !is_owner);
  const revoke =
    open.length === 0 ? [] : [`    revoke insert, update, delete, truncate on ${open.join(", ")} from public;`];
  const create = [
    "    create role predictor_reader login password '...';",
    `    grant usage on schema ${from.schema} to predictor_reader;`,
    `    grant select on ${from.table} to predictor_reader;`,
  ];
  return [
    isOpenOnly
      ? "Every role may, by a grant to PUBLIC. On the primary:"
      : "Use a role that may only read. On the primary:",
    ...revoke,
    ...(isOpenOnly ? [] : create),
    "  or set ALLOW_WRITABLE_FOLLOWER=true to run all the same (nothing is ever written to it)",
  ].join("\n");
}
