import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from "pino";
import type { Log } from "../../core/ports.ts";

const secretFields = ["password", "secret", "token", "authorization", "connectionString", "databaseUrl"];
const redactedPaths = secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);
/** user:password@ inside any URL, such as a driver's error message may quote. */
const urlPassword = /(\w+:\/\/[^\s:/@]+):[^\s@/]+@/g;

export type LogOptions = {
  level: "debug" | "info" | "warn" | "error";
  /** Readable text for people; JSON lines else. */
  isPretty: boolean;
  /** Where the lines go; standard output when left out. */
  destination?: DestinationStream;
};

/**
 * One JSON line an event: { level, time, event, ...fields }. Fields named like a secret and passwords inside URLs are
 * redacted; errors become { type, message, code, stack, cause }.
 */
export async function createLog(options: LogOptions): Promise<Log> {
  const destination = options.isPretty ? await prettyStream(options.destination) : options.destination;
  return logOf(createLogger(options.level, destination));
}

function createLogger(level: string, destination: DestinationStream | undefined): Logger {
  const settings: LoggerOptions = {
    level,
    base: null,
    messageKey: "event",
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: describeError, err: describeError },
    redact: { paths: redactedPaths, censor: "[redacted]" },
    hooks: { streamWrite: (line: string) => line.replaceAll(urlPassword, "$1:[redacted]@") },
  };
  return destination ? pino(settings, destination) : pino(settings);
}

async function prettyStream(destination?: DestinationStream): Promise<DestinationStream> {
  const { default: pretty } = await import("pino-pretty");
  const options = {
    messageKey: "event",
    translateTime: "HH:MM:ss",
    ignore: "pid,hostname",
    singleLine: true,
    sync: true,
  };
  return pretty(destination ? { ...options, destination, colorize: false } : options);
}

function logOf(logger: Logger): Log {
  return {
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
  };
}

/** An error as plain data, causes included; other objects as they are, and anything else as its text. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === "object" ? error : String(error);
  const code = "code" in error ? { code: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  return { type: error.name, message: error.message, ...code, stack: error.stack, ...cause };
}
