import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { AppError, type ErrorCode } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import type { Problem } from "./contract/common.ts";

type Details = Pick<Problem, "code" | "detail"> & Partial<Pick<Problem, "have" | "need" | "errors">>;

const statusOf: Record<ErrorCode, ContentfulStatusCode> = {
  badInput: 422,
  unauthorised: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  misconfigured: 500,
  followerUnavailable: 503,
  predictorUnavailable: 503,
  storeUnavailable: 503,
  queueUnavailable: 503,
  issuerUnavailable: 503,
  artefactRejected: 422,
  timeout: 504,
  internal: 500,
};

/** What a client may know of a fault on our side; the log has the rest, under the request's id. */
const publicDetail: Partial<Record<ErrorCode, string>> = {
  misconfigured: "the service is not set up rightly; its log says what to change",
  followerUnavailable: "the sensor database does not answer now; forecasts that were stored are still served",
  predictorUnavailable: "the forecast database does not answer now; try again",
  storeUnavailable: "the model store does not answer now; try again",
  queueUnavailable: "the queue does not take work now; try again",
  issuerUnavailable: "the sign-in service does not answer now; try again",
  timeout: "a database took too long; ask for a shorter range or try again",
  internal: "something failed here; the log has it under this request's id",
};

const titles: Record<number, string> = {
  400: "Bad request",
  401: "Unauthorised",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  408: "Too slow",
  409: "Conflict",
  413: "Body too large",
  415: "Unsupported media type",
  421: "Not this server",
  422: "Cannot be processed",
  429: "Too many requests",
  500: "Internal error",
  503: "Unavailable",
  504: "Timed out",
};

const codes: Record<number, string> = {
  400: "badInput",
  401: "unauthorised",
  403: "forbidden",
  404: "notFound",
  413: "bodyTooLarge",
  415: "unsupportedMediaType",
};

/** An error to throw that answers with this status and these details. */
export function refuse(status: ContentfulStatusCode, details: Details): HTTPException {
  return new HTTPException(status, { message: details.detail, cause: details });
}

/** The answer in RFC 9457's form. */
export function problemResponse(c: Context, status: ContentfulStatusCode, details: Details): Response {
  const problem: Problem = {
    type: "about:blank",
    title: titles[status] ?? "Error",
    status,
    ...details,
    requestId: c.get("requestId"),
  };
  c.header("Cache-Control", "no-store");
  if (status === 503) c.header("Retry-After", "5");
  return c.body(JSON.stringify(problem), status, { "Content-Type": "application/problem+json" });
}

/** The one place where an error becomes a status. What is not meant for clients goes to the log only. */
export function answerError(error: unknown, c: Context, log: Log): Response {
  if (error instanceof HTTPException) return answerHttpException(error, c);
  const code = error instanceof AppError ? error.code : "internal";
  const status = statusOf[code];
  if (status >= 500) log.error("api.failed", { requestId: c.get("requestId"), method: c.req.method, code, error });
  const detail = publicDetail[code] ?? (error instanceof AppError ? error.message : "");
  return problemResponse(c, status, { code, detail });
}

function answerHttpException(error: HTTPException, c: Context): Response {
  const challenge = error.res?.headers.get("WWW-Authenticate");
  if (challenge) c.header("WWW-Authenticate", challenge);
  if (isDetails(error.cause)) return problemResponse(c, error.status as ContentfulStatusCode, error.cause);
  return problemResponse(c, error.status as ContentfulStatusCode, {
    code: codes[error.status] ?? "badInput",
    detail: error.message || titles[error.status] || "the request was refused",
  });
}

function isDetails(cause: unknown): cause is Details {
  return typeof cause === "object" && cause !== null && "code" in cause && "detail" in cause;
}
