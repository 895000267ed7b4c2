import { type Kysely, sql } from "kysely";
import type { Leases } from "../../../core/ports.ts";
import type { PredictorSchema } from "./schema.ts";

/** Leases as rows, judged by the database's clock: they outlive a connection and work behind any pooler. */
export function postgresLeases(db: Kysely<PredictorSchema>): Leases {
  return {
    async acquire(name, holder, ttlSeconds) {
      const { rows } = await sql`
        insert into lease (name, holder, expires_at)
        values (${name}, ${holder}, clock_timestamp() + make_interval(secs => ${ttlSeconds}::float8))
        on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at
        where lease.holder = excluded.holder or lease.expires_at <= clock_timestamp()
        returning name`.execute(db);
      return rows.length === 1;
    },

    async release(name, holder) {
      await db.deleteFrom("lease").where("name", "=", name).where("holder", "=", holder).execute();
    },
  };
}
