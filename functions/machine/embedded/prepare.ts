import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

/**
 * What the reader sees of replication: the standby's receiver, under the name by which everybody asks for it. Its own
 * rights hide that, and pg_monitor, which shows it, shows everybody's queries with their values.
 */
const receiverView = `
  create schema if not exists replication;
  create or replace function replication.receiver() returns table (pid integer, status text, latest_end_lsn pg_lsn)
    language sql security definer set search_path = pg_catalog
    as 'select pid, status, latest_end_lsn from pg_catalog.pg_stat_wal_receiver';
  create or replace view replication.pg_stat_wal_receiver as select * from replication.receiver();
  grant usage on schema replication to predictor_reader;
  grant select on replication.pg_stat_wal_receiver to predictor_reader;
  alter role predictor_reader in database main set search_path = replication, pg_catalog, public`;

/**
 * The sensor app's side: database "main", and the role "predictor_reader" that may read what its owner creates there,
 * see whether the standby receives, and nothing else. Changes nothing where it is already so.
 */
export async function prepareMain(adminUrl: string, readerPassword: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    await createDatabase(client, "main");
    const { rowCount } = await client.query("select from pg_roles where rolname = 'predictor_reader'");
    if (rowCount === 0)
      await client.query(`create role predictor_reader login password ${client.escapeLiteral(readerPassword)}`);
    await client.query("revoke pg_monitor from predictor_reader");
  });
  const main = new URL(adminUrl);
  main.pathname = "/main";
  await withClient(main.href, async (client) => {
    await client.query("alter default privileges in schema public grant select on tables to predictor_reader");
    await client.query(receiverView);
  });
}

/** Our own side: database "predictor". */
export async function preparePredictor(adminUrl: string): Promise<void> {
  await withClient(adminUrl, (client) => createDatabase(client, "predictor"));
}

/**
 * True once the standby streams and shows what the primary held when this began; false after `patienceMs`, or when it
 * holds what the primary never wrote (the primary was put back to an older state).
 */
export async function waitForFollower(mainUrl: string, followerUrl: string, patienceMs: number): Promise<boolean> {
  return withClient(mainUrl, (main) =>
    withClient(followerUrl, async (follower) => {
      const { rows } = await follower.query<{ lsn: string }>(
        "select greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) as lsn",
      );
      const held = await main.query<{ lsn: string; is_ours: boolean }>(
        "select pg_current_wal_flush_lsn() as lsn, pg_current_wal_flush_lsn() >= $1::pg_lsn as is_ours",
        [rows[0]?.lsn],
      );
      return held.rows[0]?.is_ours === true && (await isFollowing(follower, held.rows[0].lsn, patienceMs));
    }),
  );
}

async function isFollowing(follower: pg.Client, lsn: string, patienceMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 20) {
    const { rows } = await follower.query<{ follows: boolean | null }>(
      `select pg_last_wal_replay_lsn() >= $1::pg_lsn and exists (
        select from pg_stat_wal_receiver where status = 'streaming') as follows`,
      [lsn],
    );
    if (rows[0]?.follows === true) return true;
    await sleep(20);
  }
  return false;
}

async function createDatabase(client: pg.Client, name: string): Promise<void> {
  const { rowCount } = await client.query("select from pg_database where datname = $1", [name]);
  if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 30_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
