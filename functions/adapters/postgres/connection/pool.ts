import { Pool as NeonPool } from "@neondatabase/serverless";
import {
  type Dialect,
  Kysely,
  PostgresAdapter,
  PostgresDriver,
  PostgresIntrospector,
  type PostgresPool,
  type PostgresPoolClient,
  PostgresQueryCompiler,
} from "kysely";
import pg from "pg";
import { type Connection, describePlace } from "../../../config/connection.ts";
import { connectWithinDeadline, withinOwnDeadline } from "./cancel.ts";
import { endsConnection, mapFault, type Side } from "./faults.ts";
import { connectionOf, driverOptions, nextWay, type Way, waysOf } from "./transport.ts";
import { getTypeParser } from "./types.ts";

/** Where a database is and how much of it may be used. Times in milliseconds; `max` bounds the connections. */
export type PoolOptions = {
  url: string;
  side: Side;
  driver?: "pg" | "neon";
  applicationName?: string;
  max?: number;
  connectTimeoutMs?: number;
  statementTimeoutMs?: number;
};

/** One pool, seen as Kysely (typed) and as plain queries. Every fault of the connection comes as AppError. */
export type Database<Schema> = {
  db: Kysely<Schema>;
  /** Runs one statement with parameters on any connection. */
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Waits for running statements, then closes every connection. */
  close(): Promise<void>;
};

/**
 * Opens a pool over TCP (`pg`) or Neon's WebSocket (`neon`); nothing is connected before the first statement.
 * Statements end after `statementTimeoutMs`: by the server where sessions are ours, else by dropping the connection.
 * Throws misconfigured where the connection string cannot be used; no message repeats it.
 */
export function openDatabase<Schema>(options: PoolOptions): Database<Schema> {
  const connection = connectionOf(options.url, options.side);
  const place = describePlace(connection);
  const fault = (error: unknown) => mapFault(error, options.side, place);
  const reach = options.driver === "neon" ? openNeon(options, connection) : openReachable(options, connection);
  const cancel = canceller(options, connection);
  const guarded = guard(reach, options.side, fault, cancel.end);
  const db = new Kysely<Schema>({ dialect: dialect(guarded) });
  let closing: Promise<void> | undefined;
  return {
    db,
    async query<Row>(sql: string, parameters: readonly unknown[] = []) {
      const client = await guarded.connect();
      try {
        return (await client.query<Row>(sql, parameters)).rows;
      } finally {
        client.release();
      }
    },
    close: () => (closing ??= Promise.all([reach.end(), cancel.close()]).then(() => {})),
  };
}

function openNeon(options: PoolOptions, connection: Connection): AnyPool {
  return heard(new NeonPool(poolConfig(options, connection, { ssl: false, isPooled: true })));
}

/** A pool that finds out at its first connection which way the server takes, and keeps to it. */
function openReachable(options: PoolOptions, connection: Connection): AnyPool {
  const ways = waysOf(connection, options.side);
  const open = (way: Way) => ({ way, pool: heard(new pg.Pool(poolConfig(options, connection, way))) });
  let current = open(ways[0] ?? { ssl: false, isPooled: connection.isPooled });
  return {
    async connect() {
      for (;;) {
        const tried = current;
        try {
          return await tried.pool.connect();
        } catch (error) {
          const way = nextWay(ways, tried.way, error);
          if (way === null) throw error;
          if (current !== tried) continue;
          current = open(way);
          await tried.pool.end();
        }
      }
    },
    end: () => current.pool.end(),
  };
}

/**
 * A server may end a connection at any moment: while it is idle, or in the very chunk that says it is ready, before
 * whoever asked for it could listen. Without a listener from the first byte on, that would end the process.
 */
function heard<Pool extends AnyPool & Listened>(pool: Pool): Pool {
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

type OnError = { on(event: "error", listener: () => void): unknown };
type Listened = OnError & { on(event: "connect", listener: (client: OnError) => void): unknown };

function poolConfig(options: PoolOptions, connection: Connection, way: Way): pg.PoolConfig {
  const statementTimeoutMs = options.statementTimeoutMs ?? 15_000;
  return {
    ...driverOptions(connection, way),
    application_name: options.applicationName ?? "iot-lstm-predictor",
    max: options.max ?? 4,
    connectionTimeoutMillis: options.connectTimeoutMs ?? connection.connectTimeoutMs ?? 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    types: { getTypeParser },
    // The client's limit is the last resort: it comes after the server had its chance to cancel.
    query_timeout: way.isPooled ? statementTimeoutMs : statementTimeoutMs + 2_000,
    ...(way.isPooled
      ? {}
      : { statement_timeout: statementTimeoutMs, idle_in_transaction_session_timeout: statementTimeoutMs }),
  };
}

/**
 * Ends a running statement from a connection of its own. Behind a pooler the number of a connection says nothing, so
 * that the statement's text must fit, too; there the statement's own time limit is what ends it.
 */
function canceller(options: PoolOptions, connection: Connection) {
  let opened: AnyPool | undefined;
  const open = () =>
    openReachable({ ...options, max: 1, statementTimeoutMs: 2_000, connectTimeoutMs: 2_000 }, connection);
  return {
    async end(processId: number | undefined, statement: string): Promise<void> {
      if (processId === undefined || options.driver === "neon") return;
      opened ??= open();
      try {
        const client = await opened.connect();
        await client
          .query(
            "select pg_cancel_backend(pid) from pg_stat_activity where pid = $1 and left(query, 200) = left($2, 200)",
            [processId, statement],
          )
          .finally(() => client.release());
      } catch {
        // It ends by its own limit.
      }
    },
    close: async () => opened?.end(),
  };
}

type AnyPool = {
  connect(): Promise<{
    processID?: number;
    query(sql: string, parameters: unknown[]): Promise<unknown>;
    release(destroy?: boolean): void;
    on(event: "error", listener: () => void): unknown;
    removeListener(event: "error", listener: () => void): unknown;
  }>;
  end(): Promise<void>;
};

/** Maps faults at the edge and never gives a broken or still busy connection back to the pool. */
function guard(
  pool: AnyPool,
  side: Side,
  fault: (error: unknown) => unknown,
  cancel: (processId: number | undefined, statement: string) => Promise<void>,
): PostgresPool {
  return {
    options: {},
    end: () => pool.end(),
    async connect() {
      const client = await connectWithinDeadline(side, () => pool.connect()).catch((error: unknown) => {
        throw fault(error);
      });
      let isBroken = false;
      const onError = () => {
        isBroken = true;
      };
      client.on("error", onError);
      const guarded = {
        query: (sql: string, parameters: readonly unknown[] = []) =>
          withinOwnDeadline(
            side,
            () =>
              client.query(sql, [...parameters]).catch((error: unknown) => {
                if (endsConnection(error)) isBroken = true;
                throw fault(error);
              }),
            () => cancel(client.processID, sql),
          ),
        release(destroy?: boolean) {
          client.removeListener("error", onError);
          client.release(isBroken || destroy === true);
        },
      };
      return guarded as PostgresPoolClient;
    },
  };
}

function dialect(pool: PostgresPool): Dialect {
  return {
    createDriver: () => new PostgresDriver({ pool }),
    // migrate.ts holds a transaction's lock instead: Kysely's session lock would outlive a transaction-mode pooler's
    // lease.
    createAdapter: () =>
      Object.assign(new PostgresAdapter(), {
        acquireMigrationLock: async () => {},
        releaseMigrationLock: async () => {},
      }),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}
