import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from "pino";
import type { Log } from "../../core/ports.ts";
import { redact } from "./redact.ts";

export type LogOptions = {
  level: "debug" | "info" | "warn" | "error";
  /** Readable text for people; JSON lines else. */
  isPretty: boolean;
  /** Where the lines go; standard output when left out. */
  destination?: DestinationStream;
};

/**
 * One JSON line an event: { level, time, event, ...fields }. Secrets are redacted (redact.ts); errors become
 * { type, message, code, stack, cause }.
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
  const clean = (fields: Record<string, unknown>) => redact(fields) as Record<string, unknown>;
  return {
    // Most lines are of this level: what is not written need not be cleaned.
    info: (event, fields = {}) => logger.isLevelEnabled("info") && logger.info(clean(fields), event),
    warn: (event, fields = {}) => logger.warn(clean(fields), event),
    error: (event, fields = {}) => logger.error(clean(fields), event),
  };
}
