import type { Clock, Log } from "../../core/ports.ts";
import { demoClock } from "../adapters/clock.ts";
import type { Config } from "../config/environment.ts";
import type { SensorApp } from "./demo/sensor-app.ts";

/** The configuration with every URL filled in; `demo` is there when no follower was given. */
export type Sources = { config: Config; demo: { sensorApp: SensorApp; clock: Clock } | null };

const patienceMs = 30_000;

/**
 * Embedded Postgres for each URL that is missing and, without a follower, the demo's sensors with their clock. Resolves when
 * the follower shows their history.
 */
export async function openSources(given: Config, log: Log, started: AsyncDisposableStack): Promise<Sources> {
  const needs = { follower: given.followerDatabaseUrl === null, predictor: given.predictorDatabaseUrl === null };
  if (!needs.follower && !needs.predictor) return { config: given, demo: null };
  const { startEmbedded } = await import("./embedded/cluster.ts");
  const embedded = await startEmbedded({ dataDir: given.dataDir, needs, log });
  started.defer(() => embedded.stop());
  const config: Config = {
    ...given,
    followerDatabaseUrl: given.followerDatabaseUrl ?? embedded.followerUrl,
    predictorDatabaseUrl: given.predictorDatabaseUrl ?? embedded.predictorUrl,
  };
  const { mainUrl, followerUrl } = embedded;
  if (mainUrl === null || followerUrl === null) return { config, demo: null };
  const [{ openSensorApp }, { waitForFollower }] = await Promise.all([
    import("./demo/sensor-app.ts"),
    import("./embedded/prepare.ts"),
  ]);
  const sensorApp = await openSensorApp(mainUrl, log);
  started.defer(() => sensorApp.close());
  await waitForFollower(mainUrl, followerUrl, patienceMs);
  return { config, demo: { sensorApp, clock: demoClock(sensorApp.startAt, given.demoSpeed) } };
}
