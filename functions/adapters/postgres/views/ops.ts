import { type Kysely, sql } from "kysely";
import type { DaySize } from "../../../../core/operations/storage.ts";
import type { Views } from "../../../../core/views.ts";
import { readRevision } from "../revision.ts";
import type { PredictorSchema } from "../schema.ts";

type QueueCount = { name: string; waiting: number; active: number; failed: number };
type TableSize = { name: string; bytes: number; rows: number };

/** Cycles among which the newest whole one is looked for: more would be too old to tell of. */
const looksBack = 5;

/** The state of the predictor database itself. Row counts are the planner's estimates: exact ones would read it all. */
export function opsViews(
  db: Kysely<PredictorSchema>,
): Pick<
  Views,
  "revision" | "newestSlot" | "newestDoneSlot" | "queueCounts" | "daySizes" | "backupState" | "databaseSize"
> {
  return {
    revision: () => readRevision(db),

    async newestSlot() {
      const row = await db.selectFrom("cycle").select("slot").orderBy("slot", "desc").limit(1).executeTakeFirst();
      return row?.slot ?? null;
    },

    async newestDoneSlot(upTo, due) {
      const finished = await db
        .selectFrom("cycle")
        .select("slot")
        .where("slot", "<=", upTo)
        .where("finished_at", "is not", null)
        .where("is_disputed", "=", false)
        .orderBy("slot", "desc")
        .limit(1)
        .executeTakeFirst();
      if (finished && finished.slot >= due) return finished.slot;
      const { rows } = await sql<{ slot: Date }>`
        select slot from (select * from cycle where slot <= ${upTo} order by slot desc limit ${looksBack}) as c
        where fanned_out_at is not null and not is_disputed
          and sensors <= (select count(*) from outcome where outcome.slot = c.slot)
        order by slot desc limit 1`.execute(db);
      return rows[0]?.slot ?? null;
    },

    async queueCounts() {
      const { rows: found } = await sql`select 1 where to_regclass('pgboss.job') is not null`.execute(db);
      if (found.length === 0) return [];
      const { rows } = await sql<QueueCount>`
        select q.name, n.waiting, n.active, n.failed from pgboss.queue as q cross join lateral (
          select count(*) filter (where state in ('created', 'retry'))::int as waiting,
            count(*) filter (where state = 'active')::int as active,
            count(*) filter (where state = 'failed')::int as failed
          -- The condition of an index of pg-boss, word for word: what is done is kept for a day and not looked at.
          from pgboss.job where name = q.name and state in ('created', 'retry', 'active', 'failed')
        ) as n
        where q.name not like '\\_\\_pgboss\\_\\_%'
        order by q.name`.execute(db);
      return rows;
    },

    async daySizes() {
      const { rows } = await sql<DaySize>`
        select p.relname as "table", to_char(to_date(right(c.relname, 8), 'YYYYMMDD'), 'YYYY-MM-DD') as day,
          pg_total_relation_size(c.oid)::float8 as bytes
        from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
        where p.relkind = 'p' and c.relname ~ '_\\d{8}$'
          and p.relnamespace = (select relnamespace from pg_class where oid = to_regclass('sensor'))
        order by 1, 2`.execute(db);
      return rows;
    },

    async backupState() {
      const { rows } = await sql<{
        finishedAt: Date | null;
        bytes: number;
        archivedDays: number;
        archivedBytes: number;
      }>`
        select b.finished_at as "finishedAt", b.bytes::float8 as bytes, a.days as "archivedDays", a.bytes as "archivedBytes"
        from (select count(*)::int as days, coalesce(sum(bytes), 0)::float8 as bytes from archived_day) as a
        left join lateral (select finished_at, bytes from backup order by finished_at desc limit 1) as b on true`.execute(
        db,
      );
      const { finishedAt, bytes, archivedDays, archivedBytes } = rows[0]!;
      return { backup: finishedAt && { finishedAt, bytes }, archivedDays, archivedBytes };
    },

    async databaseSize() {
      const { rows: tables } = await sql<TableSize>`
        select coalesce(parent.relname, c.relname) as name, sum(pg_total_relation_size(c.oid))::float8 as bytes,
          sum(greatest(coalesce(s.n_live_tup, 0), c.reltuples, 0))::float8 as rows
        from pg_class c left join pg_stat_user_tables s on s.relid = c.oid
        left join pg_inherits i on i.inhrelid = c.oid left join pg_class parent on parent.oid = i.inhparent
        where c.relkind in ('r', 'p') and c.relnamespace = (select relnamespace from pg_class where oid = to_regclass('sensor'))
        group by 1
        order by bytes desc`.execute(db);
      const { rows } = await sql<{ bytes: number }>`
        select pg_database_size(current_database())::float8 as bytes`.execute(db);
      return { bytes: rows[0]?.bytes ?? 0, tables };
    },
  };
}
