import { type Kysely, sql } from "kysely";
import type { DeadLetter, QueueName } from "../../../core/messages.ts";
import type { DeadLetters } from "../../../core/ports.ts";
import type { PredictorSchema } from "./schema.ts";

type Row = Omit<DeadLetter, "queue"> & { name: string; count: number };

/** The dead letters of pg-boss, where it lives in the predictor database; none where it does not. */
export function postgresDeadLetters(db: Kysely<PredictorSchema>): Pick<DeadLetters, "list"> {
  return {
    async list(queues, limit) {
      const { rows: found } = await sql`select 1 where to_regclass('pgboss.job') is not null`.execute(db);
      if (found.length === 0) return { count: 0, first: [] };
      // What pg-boss itself gives up (out of time, no heartbeat) it tells in its own words, one level deeper.
      const { rows } = await sql<Row>`
        select id, name, data -> 'body' as body, coalesce(source_created_on, created_on) as "sentAt",
          created_on as "deadAt", count(*) over ()::int as count,
          coalesce(source_output ->> 'message', source_output -> 'value' ->> 'message', source_output ->> 'value')
            as reason
        from pgboss.job
        where name = any(${queues.map(deadName)}::text[]) and state in ('created', 'retry')
        order by 4 desc, id
        limit ${limit}`.execute(db);
      return { count: rows[0]?.count ?? 0, first: rows.map(toDeadLetter) };
    },
  };
}

const deadName = (queue: QueueName) => `${queue}-dead`;

function toDeadLetter({ name, count: _, ...row }: Row): DeadLetter {
  return { ...row, queue: name.replace(/-dead$/, "") as QueueName };
}
