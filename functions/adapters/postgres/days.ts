import { type Kysely, sql } from "kysely";
import { addSeconds } from "../../../core/time.ts";
import type { PredictorSchema } from "./schema.ts";

/** How long what lies by day is kept, counted from the end of the day. */
export type Retention = { mixDays: number };

/** Whether a day of a table may go; if not, why. */
export type Droppable = { ok: true } | { ok: false; reason: string };

const day = 86_400;
/** Made ahead: a watch that is down for so long costs no cycle a partition. */
const daysAhead = 3;

/** The days of the tables that grow: made ahead, and dropped behind once nobody needs them. */
export function postgresDays(db: Kysely<PredictorSchema>, { mixDays }: Retention) {
  /**
   * Whether the experts of the forecasts of `dayAt` (its start) may go at `now`: all their leads matured, and `mixDays`
   * passed.
   */
  async function droppable(dayAt: Date, now: Date): Promise<Droppable> {
    const { rows } = await sql<{ span: number | null; waiting: Date | null }>`
      select (select max(last_lead * step_seconds)::float8 from lineage) as span,
        (select min(slot) from cycle where finished_at is null and fanned_out_at is not null
          and slot >= ${dayAt} and slot < ${addSeconds(dayAt, day)}) as waiting`.execute(db);
    const { span, waiting } = rows[0] ?? { span: null, waiting: null };
    const from = addSeconds(dayAt, day + (span ?? 0) + mixDays * day);
    const name = dayAt.toISOString().slice(0, 10);
    if (from > now)
      return { ok: false, reason: `${name}: its last lead and ${mixDays} days end at ${from.toISOString()}` };
    if (waiting !== null) {
      return { ok: false, reason: `${name}: the cycle of ${waiting.toISOString()} lacks outcomes` };
    }
    return { ok: true };
  }

  return {
    droppable,

    /** Makes the days from that of `now` on; what is there stays. */
    async prepare(now: Date): Promise<void> {
      for (let ahead = 0; ahead <= daysAhead; ahead++) {
        await sql`select ensure_day(${addSeconds(now, ahead * day)
          .toISOString()
          .slice(0, 10)}::date)`.execute(db);
      }
    },

    /** Drops the experts of every day that may go; the days dropped, oldest first. */
    async dropMatured(now: Date): Promise<Date[]> {
      const { rows } = await sql<{ name: string }>`
        select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = to_regclass('issued_mix') order by 1`.execute(db);
      const dropped: Date[] = [];
      for (const { name } of rows) {
        const [, year, month, date] = /_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
        const dayAt = new Date(`${year}-${month}-${date}T00:00:00Z`);
        if (!(await droppable(dayAt, now)).ok) continue;
        await sql`select drop_mix(${dayAt.toISOString().slice(0, 10)}::date)`.execute(db);
        dropped.push(dayAt);
      }
      return dropped;
    },
  };
}
