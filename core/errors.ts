/** Every fault the system can throw. A thrown error means "retry may help"; expected outcomes are values instead. */
export const errorCodes = [
  "badInput",
  "unauthorised",
  "forbidden",
  "notFound",
  "conflict",
  "misconfigured",
  "followerUnavailable",
  "predictorUnavailable",
  "storeUnavailable",
  "queueUnavailable",
  "issuerUnavailable",
  "artefactRejected",
  "timeout",
  "internal",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** A fault with a code from one closed list; the message names the thing, the numbers and what to do. */
export class AppError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AppError";
    this.code = code;
  }
}
