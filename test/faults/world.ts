import { setTimeout as sleep } from "node:timers/promises";
import { addSeconds, secondsBetween } from "../../core/time.ts";
import { demoClock } from "../../functions/adapters/clock.ts";
import { readConfig } from "../../functions/config/environment.ts";
import { startSystem } from "../../functions/machine/system.ts";
import { quietLog } from "../fakes/log.ts";
import type { TestPostgres } from "../postgres.ts";
import { type Relay, startRelay, type Wire } from "../relay.ts";
import { runSql, wideTable } from "../source-table.ts";
import { findingsOf } from "../verified.ts";

/** A step of ten minutes in 20 s: time-outs, retries and pauses between them are as long as ever. */
const speed = 30;
const never = "0 0 29 2 *";
const stepSeconds = 600;
export const firstSlot = new Date("2026-03-03T00:00:00Z");

export type World = Awaited<ReturnType<typeof startWorld>>;

type WorldOptions = {
  sensors?: number;
  /** What happens on the way to the predictor database; may be changed at any time. */
  wire?: Wire;
  /** Before anything is connected to it. */
  prepare?: (urls: { predictorUrl: string; followerUrl: string }) => Promise<void>;
  readFrom?: (followerUrl: string) => string;
  modelStore?: string;
  /** The table that is read; the one that `prepare` meets when left out. */
  table?: string;
};

/** The whole system in this process over real databases, on a clock that runs 30 times as fast. */
export async function startWorld(postgres: TestPostgres, { sensors = 9, ...options }: WorldOptions = {}) {
  const [followerUrl, predictorUrl] = [await postgres.createDatabase(), await postgres.createPredictorDatabase()];
  await runSql(followerUrl, ...wideTable({ sensors, days: 10, endAt: addSeconds(firstSlot, 86_400) }));
  await options.prepare?.({ predictorUrl, followerUrl });
  const relay: Relay | null = options.wire ? await startRelay(postgres.url, () => options.wire ?? {}) : null;
  const environment = {
    FOLLOWER_DATABASE_URL: options.readFrom?.(followerUrl) ?? followerUrl,
    PREDICTOR_DATABASE_URL: relay?.urlOf(predictorUrl) ?? predictorUrl,
    ...(options.modelStore === undefined ? {} : { MODEL_STORE: options.modelStore }),
    ...(options.table === undefined ? {} : { SOURCE_CONFIG: JSON.stringify({ table: options.table }) }),
    ...{ ALLOW_WRITABLE_FOLLOWER: "true", PORT: "0", SHARD_SIZE: "4" },
    ...{ DRIFT_CRON: never, TRAIN_CRON: never, PROMOTE_CRON: never, BACKUP_CRON: never },
  };
  const clock = demoClock(addSeconds(firstSlot, 30), speed);
  const log = quietLog();
  const system = await startSystem(readConfig(environment), log, { clock, isAlone: true });

  /** Steps until /readyz has answered so; throws with its words when it took more than `most`. */
  async function untilReadyz(status: 200 | 503, most: number): Promise<number> {
    const began = clock.now();
    for (let words = ""; ; await sleep(200)) {
      const response = await fetch(`${system.url}/readyz`);
      const steps = secondsBetween(began, clock.now()) / stepSeconds;
      if (response.status === status) return steps;
      words = await response.text();
      if (steps > most) throw new Error(`/readyz is ${response.status} after ${steps.toFixed(1)} steps: ${words}`);
    }
  }

  return {
    ...{ clock, log, system, predictorUrl, followerUrl },
    untilReadyz,
    passSteps: (steps: number) => clock.sleepUntil(addSeconds(clock.now(), steps * stepSeconds)),
    /** What is wrong once the newest slots are done; empty where nothing is. */
    async findings(): Promise<string> {
      const { modelStore } = options;
      return findingsOf({ predictorUrl, followerUrl, clock, ...(modelStore === undefined ? {} : { modelStore }) });
    },
    async stop(): Promise<void> {
      await system.stop();
      await relay?.close();
    },
  };
}
