import type { Problem } from "./contract.ts";

/** `problem`: the API answered with one; `timeout`, `unreachable`: it did not; `unreadable`: something else did. */
export type FailureKind = "problem" | "timeout" | "unreachable" | "unreadable";

/** Why a request has no answer. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly kind: FailureKind;
  /** The HTTP status; null where there was no answer. */
  readonly status: number | null;
  /** What the API says of it (RFC 9457); null where something else answered, or nothing. */
  readonly problem: Problem | null;
  /** After how long the API wants to be asked again; null where it does not say. */
  readonly retryAfterSeconds: number | null;

  constructor(
    kind: FailureKind,
    message: string,
    about: { status?: number; problem?: Problem; retryAfterSeconds?: number | null; cause?: unknown } = {},
  ) {
    super(message, { cause: about.cause });
    this.kind = kind;
    this.status = about.status ?? null;
    this.problem = about.problem ?? null;
    this.retryAfterSeconds = about.retryAfterSeconds ?? null;
  }
}

/** The error that an answer which is no success stands for. */
export async function toError(response: Response, where: string): Promise<ApiError> {
  const { status } = response;
  const retryAfterSeconds = readRetryAfter(response.headers.get("Retry-After"), Date.now());
  const text = await response.text().catch(() => "");
  const problem = readProblem(text);
  if (problem !== null) {
    return new ApiError("problem", `${where}: ${problem.detail}`, { status, problem, retryAfterSeconds });
  }
  const kind = status < 400 ? "unreadable" : "problem";
  return new ApiError(kind, `${where} answered ${status} without saying why`, { status, retryAfterSeconds });
}

function readProblem(text: string): Problem | null {
  try {
    const read: unknown = JSON.parse(text);
    const isProblem = typeof read === "object" && read !== null && "title" in read && "detail" in read;
    return isProblem ? (read as Problem) : null;
  } catch {
    return null;
  }
}

/** Seconds from `Retry-After`, which has them or a date; null for what is neither. */
export function readRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, (at - nowMs) / 1000);
}
