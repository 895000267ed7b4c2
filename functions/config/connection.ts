/**
 * How far a server's identity is checked, by libpq's names and with its meaning: `require` encrypts and trusts anybody.
 */
export const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof sslModes)[number];

/** Where a database is and how it is reached; undefined where the driver's own defaults (PGUSER, .pgpass) hold. */
export type Connection = {
  /** A name, an address, or the folder of a socket (it begins with "/"). */
  host: string;
  port: number;
  user: string | undefined;
  password: string | undefined;
  database: string | undefined;
  sslMode: SslMode;
  /** Paths of PEM files; `rootCertificate` may be "system" for the authorities that Node trusts. */
  rootCertificate: string | undefined;
  certificate: string | undefined;
  key: string | undefined;
  options: string | undefined;
  needsChannelBinding: boolean;
  connectTimeoutMs: number | undefined;
  /** True where name, port or parameters tell of a transaction-mode pooler. */
  isPooled: boolean;
};

/**
 * What is wrong with a connection string: a sentence that completes "FOLLOWER_DATABASE_URL ..." and repeats none of it.
 */
export type ParsedConnection = { ok: true; connection: Connection } | { ok: false; problem: string };

type Parameters = Map<string, string>;
type Parts = { ok: true; parameters: Parameters } | { ok: false; problem: string };

const expected =
  "must look like postgres://role:password@host:5432/database or host=... port=5432 dbname=... user=... password=...";
const scheme = /^(jdbc:)?postgres(ql)?(\+\w+)?:\/\//;
/** What may follow the password: hosts with ports, a database, parameters. */
const address =
  /^((?:\[[0-9a-f:.]+\]|[^\s:/?#@,&[\]]*)(?::\d{1,5})?(?:,[^\s/?#@&]*)?)(?:\/([^/?#@]*))?(?:\?([^#]*))?$/i;

/**
 * A URL or a DSN ("host=... dbname=...") as hosts hand them out. Passwords may hold "@", "/", "#", "?" and "%" as they
 * are, where only one reading is possible; percent-encoded they always work.
 */
export function parseConnection(text: string): ParsedConnection {
  const trimmed = text.trim();
  const parts = scheme.test(trimmed)
    ? parseUrl(trimmed.replace(scheme, ""))
    : /^\w+\s*=/.test(trimmed)
      ? parseDsn(trimmed)
      : fail(expected);
  return parts.ok ? toConnection(parts.parameters) : parts;
}

/** The connection without what may be secret: postgres://role:redacted@host:5432/database; "(unreadable)" for none. */
export function redactConnection(text: string): string {
  const parsed = parseConnection(text);
  if (!parsed.ok) return "(unreadable)";
  const { user, password, database } = parsed.connection;
  const role = user === undefined ? "" : `${encodeURIComponent(user)}${password === undefined ? "" : ":redacted"}@`;
  return `postgres://${role}${describePlace(parsed.connection)}${database === undefined ? "" : `/${encodeURIComponent(database)}`}`;
}

/** host:port, or the socket. */
export function describePlace({ host, port }: Pick<Connection, "host" | "port">): string {
  return host.startsWith("/") ? `${host}/.s.PGSQL.${port}` : `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function parseUrl(rest: string): Parts {
  const split = splitCredentials(rest);
  if (split === null) {
    return fail(
      "cannot be taken apart: percent-encode the password (@ is %40, / is %2F, # is %23, ? is %3F, % is %25)",
    );
  }
  const [, hosts = "", database, query] = address.exec(split.address) ?? [];
  const parameters: Parameters = new Map(new URLSearchParams(query ?? ""));
  const given = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== "") parameters.set(name, decode(value));
  };
  if (split.credentials !== null) {
    const colon = split.credentials.indexOf(":");
    given("user", colon < 0 ? split.credentials : split.credentials.slice(0, colon));
    if (colon >= 0) given("password", split.credentials.slice(colon + 1));
  }
  const [host, port] = takeApart(hosts);
  given("host", host);
  given("port", port);
  given("dbname", database);
  return { ok: true, parameters };
}

/**
 * Where the password ends. The reading that a URL has by its grammar comes first; where that is no address, an "@"
 * further on may end it, if only one does.
 */
function splitCredentials(rest: string): { credentials: string | null; address: string } | null {
  const strict = (/^[^/?#]*/.exec(rest)?.[0] ?? "").lastIndexOf("@");
  const readings = [...rest.matchAll(/@/g)]
    .map(({ index }) => ({ at: index, credentials: rest.slice(0, index), address: rest.slice(index + 1) }))
    .filter((reading) => address.test(reading.address));
  const byGrammar = readings.find((reading) => reading.at === strict);
  if (byGrammar) return byGrammar;
  const bare = strict < 0 && address.test(rest) ? [{ credentials: null, address: rest }] : [];
  const all = [...bare, ...readings];
  return all.length === 1 ? (all[0] ?? null) : null;
}

/** "a:1,b:2" as libpq's lists "a,b" and "1,2". */
function takeApart(hosts: string): [string, string] {
  const each = hosts.split(",").map((one) => /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(one));
  const ports = each.map((one) => one?.[2] ?? "");
  return [each.map((one) => (one?.[1] ?? "").replace(/^\[|\]$/g, "")).join(","), ports.join(",").replace(/^,+$/, "")];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parseDsn(text: string): Parts {
  const parameters: Parameters = new Map();
  const pair = /\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)?)(?:\s+|$)/gy;
  for (let end = 0; end < text.length; end = pair.lastIndex) {
    const found = pair.exec(text);
    if (found === null) return fail(`cannot be read from character ${end + 1} on: quote values with '...'`);
    const [, name = "", quoted, bare = ""] = found;
    parameters.set(name, (quoted ?? bare).replace(/\\(.)/gs, "$1"));
  }
  return { ok: true, parameters };
}

function toConnection(parameters: Parameters): ParsedConnection {
  const text = (name: string) => parameters.get(name) || undefined;
  const host = text("host") ?? text("hostaddr") ?? "localhost";
  if (host.includes(",")) return fail(severalHosts(host.split(",").length));
  const port = Number(text("port") ?? 5432);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return fail("has a port that is no number from 1 to 65535");
  const sslMode = sslModeOf(parameters, host);
  if (sslMode === null) return fail(`has an sslmode that is none of ${sslModes.join(", ")}`);
  const timeout = Number(text("connect_timeout"));
  const rootCertificate = text("sslrootcert");
  return {
    ok: true,
    connection: {
      host,
      port,
      user: text("user"),
      password: text("password"),
      database: text("dbname"),
      // As libpq has it: authorities given with "require" are asked; "system" means the whole check.
      sslMode:
        rootCertificate === "system" ? "verify-full" : rootCertificate && sslMode === "require" ? "verify-ca" : sslMode,
      rootCertificate,
      certificate: text("sslcert"),
      key: text("sslkey"),
      options: text("options"),
      needsChannelBinding: text("channel_binding") === "require",
      connectTimeoutMs: timeout > 0 ? timeout * 1000 : undefined,
      isPooled: isPooler(host, port, parameters),
    },
  };
}

/**
 * Without a mode: encrypted where the server can, as libpq has it; on this machine plain first, as nobody listens in
 * between.
 */
function sslModeOf(parameters: Parameters, host: string): SslMode | null {
  const given = parameters.get("sslmode");
  if (given === "no-verify" || (!given && ["true", "1", "require"].includes(parameters.get("ssl") ?? "")))
    return "require";
  if (given) return sslModes.find((mode) => mode === given) ?? null;
  if (host.startsWith("/")) return "disable";
  return /^(localhost|127\.[\d.]+|::1)$/.test(host) ? "allow" : "prefer";
}

function isPooler(host: string, port: number, parameters: Parameters): boolean {
  if (parameters.has("pgbouncer")) return parameters.get("pgbouncer") !== "false";
  return host.includes("-pooler.") || port === 6432 || (host.endsWith(".pooler.supabase.com") && port === 6543);
}

function severalHosts(count: number): string {
  return (
    `names ${count} hosts: one is needed. Name the server to use, ` +
    "or an address that follows it (the provider's reader endpoint, HAProxy, PgBouncer)"
  );
}

function fail(problem: string): { ok: false; problem: string } {
  return { ok: false, problem };
}
