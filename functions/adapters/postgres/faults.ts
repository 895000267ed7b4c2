import { AppError } from "../../../core/errors.ts";

/** Which of the two databases a fault belongs to; it decides the error code that retries and alerts see. */
export type Side = "follower" | "predictor";

/** The SQLSTATE of a Postgres error, or the code of a socket error; undefined where there is none. */
export function faultCode(error: unknown): string | undefined {
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
 * Gives a driver's fault the code that the rest of the system knows: misconfigured, timeout, or the side's "unavailable".
 * Errors about one statement (a violated constraint, a missing column) come back as they are.
 */
export function mapFault(error: unknown, side: Side): unknown {
  if (error instanceof AppError) return error;
  const code = faultCode(error);
  const what = `${side} database: ${text(error)}`;
  if (isMisconfigured(code)) return new AppError("misconfigured", what, { cause: error });
  if (code === "57014" || /Query read timeout/.test(text(error)))
    return new AppError("timeout", what, { cause: error });
  if (isTransient(error) || code?.startsWith("53") || code === "25P02") {
    return new AppError(side === "follower" ? "followerUnavailable" : "predictorUnavailable", what, { cause: error });
  }
  return error;
}

/** Wrong password, unknown role or database: no retry helps. */
function isMisconfigured(code: string | undefined): boolean {
  return code === "28P01" || code === "28000" || code === "3D000";
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
