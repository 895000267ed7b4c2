import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { AppError } from "../../../../core/errors.ts";
import { type Connection, parseConnection } from "../../../config/connection.ts";
import { type Side, settingOf } from "./faults.ts";

/** One way to reach a server: plain or by TLS, with or without settings in the start-up message. */
export type Way = { ssl: false | ConnectionOptions; isPooled: boolean };

/** The connection that `url` describes; throws misconfigured without repeating any of it. */
export function connectionOf(url: string, side: Side): Connection {
  const parsed = parseConnection(url);
  if (parsed.ok) return parsed.connection;
  throw new AppError("misconfigured", `${settingOf[side]} ${parsed.problem}`);
}

/**
 * The ways to try, in libpq's order for the mode; the next one only where the server refuses the one before as such.
 */
export function waysOf(connection: Connection, side: Side): Way[] {
  const { sslMode, isPooled } = connection;
  const plain: Way = { ssl: false, isPooled };
  if (sslMode === "disable" || connection.host.startsWith("/")) return [plain];
  const encrypted: Way = { ssl: tlsOptions(connection, side), isPooled };
  if (sslMode === "allow") return [plain, encrypted];
  return sslMode === "prefer" ? [encrypted, plain] : [encrypted];
}

/** The way to try after `error`: another transport, or a start-up message without settings. Null when there is none. */
export function nextWay(ways: Way[], way: Way, error: unknown): Way | null {
  const message = error instanceof Error ? error.message : String(error);
  if (/unsupported startup parameter/i.test(message)) return way.isPooled ? null : { ...way, isPooled: true };
  if (!refusesTransport(message)) return null;
  const other = ways.find(({ ssl }) => ssl !== way.ssl);
  const isLast = other === undefined || ways.findIndex(({ ssl }) => ssl === way.ssl) === ways.length - 1;
  return isLast ? null : { ...other, isPooled: way.isPooled };
}

/** What `pg` is told of a connection; what is not there is left to its own defaults. */
export type DriverOptions = {
  host: string;
  port: number;
  user?: string;
  password?: string;
  database?: string;
  options?: string;
  ssl: false | ConnectionOptions;
  enableChannelBinding?: boolean;
};

/** What the driver takes for `connection` by `way`, the password in no string. */
export function driverOptions(connection: Connection, way: Way): DriverOptions {
  const { host, port, user, password, database, options, needsChannelBinding } = connection;
  return {
    host,
    port,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ...(options === undefined ? {} : { options }),
    ssl: way.ssl,
    ...(needsChannelBinding ? { enableChannelBinding: true } : {}),
  };
}

/** True for what servers and poolers say to a client that is plain where they want TLS, or the other way about. */
function refusesTransport(message: string): boolean {
  return (
    /does not support SSL|SSL (connection )?(is )?required|connection is insecure|requires? (SSL|TLS|encryption)/i.test(
      message,
    ) || /no pg_hba\.conf entry.*(no encryption|SSL off|SSL encryption|SSL on)/.test(message)
  );
}

function tlsOptions(connection: Connection, side: Side): ConnectionOptions {
  const { sslMode, rootCertificate, certificate, key } = connection;
  const read = (path: string, parameter: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AppError("misconfigured", `${settingOf[side]}: ${parameter} cannot be read: ${why}`, { cause });
    }
  };
  return {
    rejectUnauthorized: sslMode.startsWith("verify"),
    ...(rootCertificate && rootCertificate !== "system" ? { ca: read(rootCertificate, "sslrootcert") } : {}),
    ...(certificate ? { cert: read(certificate, "sslcert") } : {}),
    ...(key ? { key: read(key, "sslkey") } : {}),
    ...(sslMode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
  };
}
