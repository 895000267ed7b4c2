import type { FollowerState } from "../../../../core/data/follower-state.ts";
import { faultCode } from "../connection/faults.ts";
import type { Query } from "./catalog.ts";
import { newestOfAllQuery, nextIdQuery } from "./follower-queries.ts";
import type { ResolvedSource } from "./source-catalog.ts";

/** What the follower says of its replication and its newest reading. Null where it or the role's rights do not tell. */
export async function followerState(query: Query, from: ResolvedSource, now: Date): Promise<FollowerState> {
  const [replication, readings] = [await replicationState(query), await newestOfAll(query, from, now)];
  return { ...replication, ...readings };
}

/** The newest reading up to `now`, and how many are ahead of it (at most 1,000 of a sensor are counted). */
export async function newestOfAll(query: Query, from: ResolvedSource, now: Date) {
  const { sql, parameters } = newestOfAllQuery(from, await hasOrderedPath(query, from), now);
  const [found] = await query<{ at: Date | null; ahead: number }>(sql, parameters);
  return { newestReadingAt: found?.at ?? null, readingsAhead: found?.ahead ?? 0 };
}

/** True when the planner walks an index from sensor to sensor; a small table or one without index is read whole. */
export async function hasOrderedPath(query: Query, from: ResolvedSource): Promise<boolean> {
  const rows = await query<{ "QUERY PLAN": unknown }>(`explain (format json) ${nextIdQuery(from)}`);
  return !/"Node Type": ?"(Sort|Incremental Sort|Seq Scan)"/.test(JSON.stringify(rows));
}

type Replication = Omit<FollowerState, "newestReadingAt" | "readingsAhead">;

/**
 * Lag in bytes of what the primary has told us of and we have not replayed. A moment of the last replay is not looked
 * at: on an idle primary it grows old, and without a receiver it looks fresh.
 */
export async function replicationState(query: Query): Promise<Replication> {
  const [recovery] = await query<{ is_standby: boolean }>("select pg_is_in_recovery() as is_standby");
  if (!recovery?.is_standby) return { isStandby: false, isReceiving: null, lagBytes: null };
  try {
    const [row] = await query<{ receivers: number; status: string | null; lag: number | null }>(
      `select count(w.pid)::int as receivers, max(w.status) as status,
         (greatest(max(w.latest_end_lsn), pg_last_wal_receive_lsn()) - pg_last_wal_replay_lsn())::float8 as lag
       from pg_stat_wal_receiver as w`,
    );
    const isHidden = (row?.receivers ?? 0) > 0 && row?.status == null;
    return { isStandby: true, isReceiving: isHidden ? null : row?.status === "streaming", lagBytes: row?.lag ?? null };
  } catch (error) {
    // Some hosts replicate by other means and have no such functions; others do not let the role see them.
    if (["0A000", "42501", "42883", "42P01"].includes(faultCode(error) ?? "")) {
      return { isStandby: true, isReceiving: null, lagBytes: null };
    }
    throw error;
  }
}
