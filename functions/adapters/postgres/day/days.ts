import { type Kysely, sql } from "kysely";
import { isSame } from "../../../../core/operations/backup/archive.ts";
import type { DroppedDay, Retention } from "../../../../core/operations/retain.ts";
import { keptDaysOf } from "../../../../core/operations/storage.ts";
import { addSeconds } from "../../../../core/time.ts";
import { takeSnapshot } from "../backup/snapshot.ts";
import { postgresBackupSource } from "../backup/source.ts";
import type { PredictorSchema } from "../schema.ts";
import { rangeOf, sumAnew, sumDays } from "../score/day-sums.ts";
import { moveBefore } from "./mover.ts";

/** Whether a day of a table may go; if not, why. */
export type Droppable = { ok: true } | { ok: false; reason: string };

const daySeconds = 86_400;
/** Made ahead: a watch that is down for so long costs no cycle a partition. */
const daysAhead = 3;
/** Rows that one statement takes from a table without days. */
const rowsAtOnce = 20_000;

type Day = { table: string; day: string };

/** The days of the tables that grow: made ahead, summed, and dropped behind once nobody needs them. */
export function postgresDays(db: Kysely<PredictorSchema>, retention: Retention) {
  const keptDays = keptDaysOf(retention);

  /**
   * Whether a day of a table may go at `now`: its time is over; experts have taught what they can, scores are summed;
   * and where archiving is on, its archive holds the very rows that are there.
   */
  async function droppable({ table, day }: Day, now: Date): Promise<Droppable> {
    const wait = (why: string): Droppable => ({ ok: false, reason: `${table} of ${day}: ${why}` });
    const { to } = rangeOf(day);
    const span = table === "issued_mix" ? await spanSeconds(db) : 0;
    const from = addSeconds(to, span + keptDays[table]! * daySeconds);
    if (from > now) return wait(`is kept until ${from.toISOString()}`);
    if (table === "issued_mix") {
      const slot = await unfinishedSlot(db, day);
      return slot === null ? { ok: true } : wait(`the cycle of ${slot.toISOString()} lacks outcomes`);
    }
    if (["scored_moment", "scored", "score"].includes(table) && !(await isSummed(db, day)))
      return wait("is not summed yet");
    if (!retention.isArchived) return { ok: true };
    return (await isArchived(db, { table, day })) ? { ok: true } : wait("is not archived as it is");
  }

  return {
    droppable,

    /** Makes the days from that of `now` on; what is there stays. */
    async prepare(now: Date): Promise<void> {
      for (let ahead = 0; ahead <= daysAhead; ahead++) {
        await sql`select ensure_day(${dayOf(addSeconds(now, ahead * daySeconds))}::date)`.execute(db);
      }
    },

    /** Moves some of what lies in the table of before; how many forecasts. */
    move: () => moveBefore(db),

    /** Sums what will not change any more. */
    async sum(now: Date): Promise<string[]> {
      await sumAnew(db, now);
      // Scores of a day come up to a day after its last lead.
      return sumDays(db, addSeconds(now, -((await spanSeconds(db)) + daySeconds)));
    },

    /** Drops every day that may go; the days dropped, oldest first. */
    async drop(now: Date): Promise<DroppedDay[]> {
      const dropped: DroppedDay[] = [];
      for (const one of await daysOf(db)) {
        if (!(one.table in keptDays) || !(await droppable(one, now)).ok) continue;
        await sql`select drop_day(${one.table}, ${one.day}::date)`.execute(db);
        dropped.push(one);
      }
      return dropped;
    },

    /** Deletes some of the finished cycles that are past their time; how many. */
    async trim(now: Date): Promise<number> {
      const oldest = addSeconds(now, -retention.cycleDays * daySeconds);
      const { numAffectedRows } = await sql`
        delete from cycle where slot in (
          select slot from cycle where slot < ${oldest} and finished_at is not null order by slot limit ${rowsAtOnce})`.execute(
        db,
      );
      return Number(numAffectedRows ?? 0);
    },
  };
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** Every day of every table that has them, oldest first. */
export async function daysOf(db: Kysely<PredictorSchema>): Promise<Day[]> {
  const { rows } = await sql<Day>`
    select p.relname as "table",
      to_char(to_date(substring(c.relname from '^' || p.relname || '_(\\d{8})$'), 'YYYYMMDD'), 'YYYY-MM-DD') as day
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
    where p.relkind = 'p' and c.relname ~ '_\\d{8}$'
      and p.relnamespace = (select relnamespace from pg_class where oid = to_regclass('issued'))
    order by day, 1`.execute(db);
  return rows;
}

async function spanSeconds(db: Kysely<PredictorSchema>): Promise<number> {
  const { rows } = await sql<{ span: number | null }>`
    select max(last_lead * step_seconds)::float8 as span from lineage`.execute(db);
  return rows[0]?.span ?? 0;
}

async function unfinishedSlot(db: Kysely<PredictorSchema>, day: string): Promise<Date | null> {
  const { from, to } = rangeOf(day);
  const { rows } = await sql<{ slot: Date | null }>`
    select min(slot) as slot from cycle where finished_at is null and fanned_out_at is not null
      and slot >= ${from} and slot < ${to}`.execute(db);
  return rows[0]?.slot ?? null;
}

async function isSummed(db: Kysely<PredictorSchema>, day: string): Promise<boolean> {
  const { from, to } = rangeOf(day);
  const { rows } = await sql<{ is: boolean }>`
    select exists (select from summed_day where day = ${day}::date and is_whole)
      or not exists (select from score_total where target_at >= ${from} and target_at < ${to}) as is`.execute(db);
  return rows[0]!.is;
}

/** Compared as the backup compares: what came since is not archived. An empty day needs no archive. */
async function isArchived(db: Kysely<PredictorSchema>, { table, day }: Day): Promise<boolean> {
  const name = `${table}_${day.replaceAll("-", "")}`;
  const { rows } = await sql`select from ${sql.table(name)} limit 1`.execute(db);
  if (rows.length === 0) return true;
  const known = (await postgresBackupSource(db, "").archivedDays()).find(
    (one) => one.table === table && one.day === day,
  );
  if (known === undefined) return false;
  return isSame(known, await takeSnapshot(db, "", (snapshot) => snapshot.fingerprint({ table, day, name })));
}
