import { AppError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import type { Config } from "../config/environment.ts";

/**
 * Runs `work` with a configuration whose database URLs are filled in: those given, else those of the embedded databases,
 * which are used where they run (`npm start`) or started for as long as the work takes.
 */
export async function withDatabases<T>(given: Config, log: Log, work: (config: Config) => Promise<T>): Promise<T> {
  const needs = { follower: given.followerDatabaseUrl === null, predictor: given.predictorDatabaseUrl === null };
  if (!needs.follower && !needs.predictor) return work(given);
  const { runningUrls, startEmbedded } = await import("../machine/embedded/cluster.ts");
  const embedded = await startEmbedded({ dataDir: given.dataDir, needs, log }).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "conflict") return null;
    throw error;
  });
  const urls = embedded ?? (await runningUrls(given.dataDir));
  try {
    return await work({
      ...given,
      followerDatabaseUrl: given.followerDatabaseUrl ?? urls.followerUrl,
      predictorDatabaseUrl: given.predictorDatabaseUrl ?? urls.predictorUrl,
    });
  } finally {
    await embedded?.stop();
  }
}
