import { join } from "node:path";
import { AppError } from "../../../core/errors.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import type { ServerOptions } from "./server.ts";
import type { EmbeddedState } from "./state.ts";

/** The sensor app's database, its standby, and our own. */
export type Name = "main" | "follower" | "predictor";

/** What every server of one DATA_DIR shares. */
export type Host = { folder: string; state: EmbeddedState; account: Account; binaries: Binaries };

/** How one of the servers is started; its port must be chosen. */
export function serverOptions({ folder, state, account, binaries }: Host, name: Name): ServerOptions {
  const settings: Record<Name, Record<string, string | number>> = {
    main: { wal_keep_size: "256MB" },
    follower: {
      primary_conninfo:
        `host=127.0.0.1 port=${state.ports.main} user=postgres password=${state.passwords.postgres} ` +
        "application_name=follower",
      wal_retrieve_retry_interval: "100ms",
    },
    predictor: { wal_level: "minimal", max_wal_senders: 0 },
  };
  const port = state.ports[name];
  if (port === undefined) throw new AppError("internal", `embedded Postgres "${name}" has no port`);
  const isStandby = name === "follower";
  return { name, directory: join(folder, name), port, settings: settings[name], isStandby, account, binaries };
}

/** What the rest of the system connects to: the follower by the role that may only read. */
export function urlOf(state: EmbeddedState, name: Name): string {
  const reader = `predictor_reader:${state.passwords.reader}`;
  const owner = `postgres:${state.passwords.postgres}`;
  const database = name === "predictor" ? "predictor" : "main";
  return `postgres://${name === "follower" ? reader : owner}@127.0.0.1:${state.ports[name]}/${database}`;
}

/** The superuser's way in, for setting up. */
export function adminUrl(state: EmbeddedState, name: Name): string {
  return `postgres://postgres:${state.passwords.postgres}@127.0.0.1:${state.ports[name]}/postgres`;
}
