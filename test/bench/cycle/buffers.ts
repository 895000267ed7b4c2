import type { Database } from "../../../functions/adapters/postgres/connection/pool.ts";

/** Buffers that this database's statements have touched, read or found; `connections` is the pool's size. */
export async function buffersTouched(database: Database<unknown>, connections: number): Promise<number> {
  // Each connection keeps what it counted for some seconds: all of them are asked at once.
  const flush = () => database.query("select pg_stat_force_next_flush(), pg_sleep(0.05)");
  await Promise.all(Array.from({ length: connections }, flush));
  const [row] = await database.query<{ touched: number }>(
    "select (blks_hit + blks_read)::float8 as touched from pg_stat_database where datname = current_database()",
  );
  return row!.touched;
}
