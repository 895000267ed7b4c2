import { AppError, type ErrorCode } from "../../../../core/errors.ts";

/** Which of the two databases a fault belongs to; it decides the error code that retries and alerts see. */
export type Side = "follower" | "predictor";

/** The variable that a side's connection string stands in. */
export const settingOf: Record<Side, string> = {
  follower: "FOLLOWER_DATABASE_URL",
  predictor: "PREDICTOR_DATABASE_URL",
};

/**
 * The SQLSTATE of a Postgres error, or the code of a socket error, also where it was mapped; undefined where there is
 * none.
 */
export function faultCode(error: unknown): string | undefined {
  if (error instanceof AppError) return faultCode(error.cause);
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** True when the connection that answered so must not be used again. */
export function endsConnection(error: unknown): boolean {
  const code = faultCode(error);
  if (code === undefined) return /terminated|Query read timeout|not queryable|timeout exceeded/i.test(text(error));
  return isSocketFault(code) || code.startsWith("08") || code.startsWith("57P") || severity(error) === "FATAL";
}

/** True for what a second try on a new connection may cure: replica conflicts, restarts, dropped sockets. */
export function isTransient(error: unknown): boolean {
  const code = faultCode(error);
  return endsConnection(error) ? !isMisconfigured(code) : code === "40001" || code === "40P01";
}

/**
 * Gives a driver's fault the code that the rest of the system knows: misconfigured, timeout, the side's "unavailable",
 * or internal for what is wrong with one statement. The message names the database, what it is about and the remedy;
 * the driver's error is the cause.
 */
export function mapFault(error: unknown, side: Side, place = ""): unknown {
  if (error instanceof AppError) return error;
  const remedy = remedyOf(error, side);
  const what = `${side} database${place && ` (${place})`}: ${text(error)}${objectOf(error)}${remedy && `. ${remedy}`}`;
  return new AppError(codeOf(error, side), what, { cause: error });
}

function codeOf(error: unknown, side: Side): ErrorCode {
  const code = faultCode(error) ?? "";
  if (
    isMisconfigured(code) ||
    isCertificateFault(code) ||
    /does not support SSL|unsupported startup/i.test(text(error))
  ) {
    return "misconfigured";
  }
  if (code === "57014" || /Query read timeout/.test(text(error))) return "timeout";
  if (isTransient(error) || code.startsWith("53") || code === "25P02") return unavailable[side];
  return "internal";
}

const unavailable = { follower: "followerUnavailable", predictor: "predictorUnavailable" } as const;

/** What to change, where it can be told; "" else. */
function remedyOf(error: unknown, side: Side): string {
  const code = faultCode(error) ?? "";
  const setting = settingOf[side];
  if (isCertificateFault(code)) {
    const host = code === "ERR_TLS_CERT_ALTNAME_INVALID" ? "the host name that the certificate has, or " : "";
    return (
      `Set ${host}sslrootcert=/path/to/ca.pem in ${setting} to trust the authority that signed it, ` +
      "or sslmode=require to encrypt without asking who answers"
    );
  }
  if (/does not support SSL/.test(text(error))) {
    return `Turn on ssl at the server, or set sslmode=disable in ${setting} where nobody can listen in between`;
  }
  if (/SSL|encryption|insecure/.test(text(error)) && (code.startsWith("28") || code.startsWith("08"))) {
    return `Set sslmode=require in ${setting}, or let the server's pg_hba.conf admit this client`;
  }
  return remedies[code]?.replaceAll("{setting}", setting) ?? "";
}

const remedies: Record<string, string> = {
  "28P01": "Check role and password in {setting}, and percent-encode what is special in the password (@ is %40)",
  "28000": "Check the role in {setting}, or let the server's pg_hba.conf admit it",
  "3D000": "Check the database's name in {setting}, or create it",
  "42501": "Grant the role what it lacks; npm run check-source prints the statements",
  "42P01": "Check the mapping with npm run check-source, or run npm run migrate",
  "42703": "Check the mapping with npm run check-source, or run npm run migrate",
  "22P02": "A view that casts text must give null for what is no number",
  "53100": "Free space on the server's disk",
  "53300": "Allow the server more connections (max_connections), or use its pooler in {setting}",
  ENOTFOUND: "Check the host's name in {setting}",
  ECONNREFUSED: "Check host and port in {setting}, and that the server runs",
};

/** " (table public.readings, column value)" as far as the server names it. */
function objectOf(error: unknown): string {
  const named = error as { schema?: string; table?: string; column?: string; constraint?: string };
  const parts = [
    named.table && `table ${named.schema ? `${named.schema}.` : ""}${named.table}`,
    named.column && `column ${named.column}`,
    named.constraint && `constraint ${named.constraint}`,
  ].filter(Boolean);
  return parts.length > 0 ? ` (${parts.join(", ")})` : "";
}

/** Wrong password, unknown role or database: no retry helps. */
function isMisconfigured(code: string | undefined): boolean {
  return code === "28P01" || code === "28000" || code === "3D000";
}

/** The server showed a certificate that is not trusted, not valid now, or another host's. */
function isCertificateFault(code: string): boolean {
  return /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)|CERT_(HAS_EXPIRED|NOT_YET_VALID|UNTRUSTED|REVOKED)|ERR_TLS_CERT_ALTNAME/.test(
    code,
  );
}

/**
 * A value in the table, or in the view's cast of it, is none of its type: what is asked of the row, not the statement,
 * is wrong.
 */
export function isDataFault(error: unknown): boolean {
  return faultCode(error)?.startsWith("22") === true;
}

function isSocketFault(code: string): boolean {
  return /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_|EADDR)/.test(code);
}

function severity(error: unknown): unknown {
  return error instanceof Error && "severity" in error ? error.severity : undefined;
}

function text(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(text).join("; ");
  return error instanceof Error ? error.message : String(error);
}
