import { type Kysely, sql } from "kysely";
import type { ArchivedDay, BackupSource } from "../../../../core/operations/backup/ports.ts";
import type { PredictorSchema } from "../schema.ts";
import { takeSnapshot } from "./snapshot.ts";

/** The predictor database as what is backed up; what was done is noted in it. */
export function postgresBackupSource(db: Kysely<PredictorSchema>, codeVersion: string): BackupSource {
  return {
    snapshot: (use) => takeSnapshot(db, codeVersion, use),

    async archivedDays() {
      const { rows } = await sql<ArchivedDay>`
        select table_name as "table", to_char(day, 'YYYY-MM-DD') as day, rows::float8 as rows, checksum::text as checksum,
          bytes::float8 as bytes, archived_at as "archivedAt"
        from archived_day order by day, table_name`.execute(db);
      return rows;
    },

    async saveArchivedDay({ table, day, rows, checksum, bytes, archivedAt }) {
      await sql`
        insert into archived_day (table_name, day, rows, checksum, bytes, archived_at)
        values (${table}, ${day}::date, ${rows}, ${checksum}::numeric, ${bytes}, ${archivedAt})
        on conflict (table_name, day) do update set rows = excluded.rows, checksum = excluded.checksum,
          bytes = excluded.bytes, archived_at = excluded.archived_at`.execute(db);
    },

    async saveBackup({ backupId, startedAt, finishedAt, place, bytes, rows }) {
      await sql`
        insert into backup (backup_id, started_at, finished_at, place, bytes, rows)
        values (${backupId}, ${startedAt}, ${finishedAt}, ${place}, ${bytes}, ${rows})
        on conflict (backup_id) do nothing`.execute(db);
    },
  };
}
