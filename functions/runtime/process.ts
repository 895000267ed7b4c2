import { totalmem } from "node:os";
import { AppError } from "../../core/errors.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { Clock, Log } from "../../core/ports.ts";
import { demoClock, machineMs, systemClock } from "../adapters/clock.ts";
import { outsideDeadline, withinDeadline } from "../adapters/deadline.ts";
import { createLog } from "../adapters/log.ts";
import type { Config } from "../config/environment.ts";

/** Readable on a terminal unless the configuration says otherwise. */
export function openLog(config: Config): Promise<Log> {
  const isPretty = config.logFormat === "pretty" || (config.logFormat === "auto" && process.stdout.isTTY === true);
  return createLog({ level: config.logLevel, isPretty });
}

/** Where a clock of the demo began, and when that was by the machine's monotonic clock. */
export type ClockStart = { startAt: Date; beganMs: number };

/** A clock of the demo that begins now. */
export function startClock(startAt: Date): ClockStart {
  return { startAt, beganMs: machineMs() };
}

/** Real time; or the demo's, which goes on from `startAt`, as it was at `beganMs` of the machine's monotonic clock. */
export function openClock(config: Config, startAt: Date | null, beganMs = machineMs()): Clock {
  return startAt ? demoClock(startAt, config.demoSpeed, beganMs) : systemClock();
}

/** What this process counts of itself, for `/metrics`; `process` tells it from others of the same system. */
export async function openMetrics({ codeVersion }: Pick<Config, "codeVersion">, process?: string): Promise<Metrics> {
  const { prometheusMetrics } = await import("../adapters/prometheus.ts");
  return prometheusMetrics(codeVersion, process);
}

/** How the databases know of a request's deadline: `within` one, or `outside` of any. */
export const deadline = { within: withinDeadline, outside: outsideDeadline };

/** The memory of the machine, or of the container or function that this runs in. */
export function memoryBytes(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}

/** The setting `name`; throws misconfigured where it is not set. */
export function wanted(value: string | null, name: string): string {
  if (value) return value;
  throw new AppError("misconfigured", `${name} is not set`);
}
