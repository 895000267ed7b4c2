import type { Clock, Log } from "../../core/ports.ts";
import type { Config } from "../config/environment.ts";
import { withOwnKeys } from "../runtime/own-keys.ts";
import { openCurrentPredictor, openRoles } from "../runtime/predictor.ts";
import { type ClockStart, openClock, startClock } from "../runtime/process.ts";
import { openBoss } from "../runtime/queues.ts";
import { openDatabases, openDemo } from "./databases.ts";

/** What API and workers stand on, as plain values: it goes to other processes. */
export type Ground = {
  /** By whose URLs the databases are reached, those of the workers' role among them. */
  config: Config;
  /** The predictor database by the role that owns it, who backs it up; null where that is nobody else. */
  ownerUrl: string | null;
  /** Where the demo's clock began; null outside the demo. */
  demo: ClockStart | null;
  /** No other system works on the predictor database. */
  isAlone: boolean;
};

/** What stays with whoever laid the ground. */
export type Laid = {
  ground: Ground;
  /** What is wrong with embedded servers that are down at the moment. */
  troubles(): Record<string, string>;
  /** The demo's sensors, who measure until the signal aborts; null outside the demo. */
  replay: ((clock: Clock, signal: AbortSignal) => Promise<void>) | null;
};

/**
 * Databases for whatever has no URL, the demo's sensors, and in the predictor database the newest tables, the queues
 * and, where it is ours, the roles. Embedded servers live as long as `opened`.
 */
export async function layGround(given: Config, log: Log, opened: AsyncDisposableStack): Promise<Laid> {
  const databases = await openDatabases(given, log, opened);
  const owned = await withOwnKeys(databases.config);
  const [sensorApp, config] = await together(
    openDemo(databases, log, opened),
    prepare(owned, log, { isOwn: isOwn(given) }),
  );
  return {
    ground: {
      config,
      ownerUrl: isOwn(given) ? owned.predictorDatabaseUrl : null,
      demo: sensorApp && startClock(sensorApp.startAt),
      isAlone: isOwn(given),
    },
    troubles: () =>
      Object.fromEntries(Object.entries(databases.troubles()).map(([name, why]) => [`embedded ${name}`, why])),
    replay: sensorApp?.replay ?? null,
  };
}

/** The ground without what only workers and owner may know. */
export function forApi(ground: Ground): Ground {
  const { config } = ground;
  const predictorDatabaseUrl = config.apiDatabaseUrl ?? config.predictorDatabaseUrl;
  return { ...ground, ownerUrl: null, config: { ...config, predictorDatabaseUrl, channelSecrets: {} } };
}

/** The time that everybody on this ground goes by. */
export function clockOf({ config, demo }: Ground): Clock {
  return openClock(config, demo?.startAt ?? null, demo?.beganMs);
}

/** A predictor database without a URL is ours, and so is every role in it. */
function isOwn(given: Config): boolean {
  return given.predictorDatabaseUrl === null;
}

/** Tables and queues; in a database of ours the roles, by whose URLs it is reached from then on. */
async function prepare(config: Config, log: Log, { isOwn }: { isOwn: boolean }): Promise<Config> {
  await using opened = new AsyncDisposableStack();
  const { predictor } = await openCurrentPredictor(config, opened, 1);
  await openBoss(config, log, opened, false);
  if (!isOwn) return config;
  const { worker, api } = await openRoles(predictor, config);
  return { ...config, predictorDatabaseUrl: worker, apiDatabaseUrl: config.apiDatabaseUrl ?? api };
}

/** Both, or the first fault once neither is under way: what they started is known then. */
export async function together<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}
