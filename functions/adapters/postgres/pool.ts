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
import { endsConnection, mapFault, type Side } from "./faults.ts";
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
  /** Behind a transaction-mode pooler no session setting survives; by default told from the host name and port. */
  isPooled?: boolean;
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
 */
export function openDatabase<Schema>(options: PoolOptions): Database<Schema> {
  const pool = options.driver === "neon" ? new NeonPool(poolConfig(options, true)) : openPgPool(options);
  // An idle connection that the server drops is replaced at the next use; without a listener it would end the process.
  pool.on("error", () => {});
  const guarded = guard(pool, options.side);
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
    close: () => (closing ??= pool.end()),
  };
}

function openPgPool(options: PoolOptions) {
  return new pg.Pool(poolConfig(options, options.isPooled ?? isPooledUrl(options.url)));
}

function poolConfig(options: PoolOptions, isPooled: boolean): pg.PoolConfig {
  const statementTimeoutMs = options.statementTimeoutMs ?? 15_000;
  return {
    connectionString: options.url,
    application_name: options.applicationName ?? "iot-lstm-predictor",
    max: options.max ?? 4,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    types: { getTypeParser },
    // The client's limit is the last resort: it comes after the server had its chance to cancel.
    query_timeout: isPooled ? statementTimeoutMs : statementTimeoutMs + 2_000,
    ...(isPooled
      ? {}
      : { statement_timeout: statementTimeoutMs, idle_in_transaction_session_timeout: statementTimeoutMs }),
  };
}

function isPooledUrl(url: string): boolean {
  const { hostname, port, searchParams } = new URL(url);
  return hostname.includes("-pooler.") || port === "6432" || searchParams.has("pgbouncer");
}

type AnyPool = {
  connect(): Promise<{
    query(sql: string, parameters: unknown[]): Promise<unknown>;
    release(destroy?: boolean): void;
    on(event: "error", listener: () => void): unknown;
    removeListener(event: "error", listener: () => void): unknown;
  }>;
  end(): Promise<void>;
};

/** Maps faults at the edge and never gives a broken or still busy connection back to the pool. */
function guard(pool: AnyPool, side: Side): PostgresPool {
  return {
    options: {},
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch((error: unknown) => {
        throw mapFault(error, side);
      });
      let isBroken = false;
      const onError = () => {
        isBroken = true;
      };
      client.on("error", onError);
      const guarded = {
        query: (sql: string, parameters: readonly unknown[] = []) =>
          client.query(sql, [...parameters]).catch((error: unknown) => {
            if (endsConnection(error)) isBroken = true;
            throw mapFault(error, side);
          }),
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
    // migrate.ts holds a transaction's lock instead: Kysely's session lock would outlive a transaction-mode pooler's lease.
    createAdapter: () =>
      Object.assign(new PostgresAdapter(), {
        acquireMigrationLock: async () => {},
        releaseMigrationLock: async () => {},
      }),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}
