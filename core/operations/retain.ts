import type { Log } from "../ports.ts";

/** How long what lies by day is kept, in days after the end of the day. */
export type Retention = {
  /** What the experts said, once the last lead has matured. */
  mixDays: number;
  /** Forecasts and scores. */
  forecastDays: number;
  /** Cycles and outcomes. */
  cycleDays: number;
  /** Nothing else goes before it is in the archive. */
  isArchived: boolean;
};

export type DroppedDay = { table: string; day: string };

/** The days of the database's tables. */
export type Days = {
  prepare(now: Date): Promise<void>;
  move(): Promise<number>;
  sum(now: Date): Promise<string[]>;
  drop(now: Date): Promise<DroppedDay[]>;
  trim(now: Date): Promise<number>;
};

/**
 * Makes the days that come, moves what an older version stored, sums those that are over and drops those that nobody
 * needs. Each step is repeated by the next pass: one that fails is logged and costs no other.
 */
export async function retain({ days, log }: { days: Days; log: Log }, now: Date): Promise<void> {
  const orLogged = async (name: string, step: () => Promise<void>) => {
    try {
      await step();
    } catch (error) {
      log.error("retain.failed", { name, error });
    }
  };
  await orLogged("days ahead", () => days.prepare(now));
  await orLogged("table of before", async () => {
    const forecasts = await days.move();
    if (forecasts > 0) log.info("retain.moved", { forecasts });
  });
  await orLogged("sums", async () => {
    for (const day of await days.sum(now)) log.info("retain.summed", { day });
  });
  await orLogged("days behind", async () => {
    for (const { table, day } of await days.drop(now)) log.info("retain.dropped", { table, day });
  });
  await orLogged("cycles", async () => {
    const cycles = await days.trim(now);
    if (cycles > 0) log.info("retain.trimmed", { cycles });
  });
}
