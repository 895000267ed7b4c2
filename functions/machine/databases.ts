import { AppError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import type { Config } from "../config/environment.ts";
import type { SensorApp } from "./demo/sensor-app.ts";
import type { Embedded } from "./embedded/cluster.ts";

/** Which of the databases somebody works on. */
export type Needs = { follower: boolean; predictor: boolean };

/**
 * The configuration with the URLs that are needed; `mainUrl` is the database that the demo's sensors write, if they do;
 * `troubles`: what is wrong with embedded servers that are down at the moment, by name.
 */
export type Databases = { config: Config; mainUrl: string | null; troubles(): Record<string, string> };

/** Both databases. */
export const both: Needs = { follower: true, predictor: true };

const patienceMs = 30_000;
const forTrying =
  "your follower meets an embedded predictor database, which is for trying: it gets no security updates (OpenSSL 1.1.1) " +
  "and no backups; set PREDICTOR_DATABASE_URL to a Postgres of your own before you depend on it";

/**
 * Embedded Postgres for each database that is needed and has no URL, for as long as `opened` lives. One that another
 * process runs on DATA_DIR (`npm start`) is a conflict, or used where `mayShare`.
 */
export async function openDatabases(
  given: Config,
  log: Log,
  opened: AsyncDisposableStack,
  { needs = both, mayShare = false }: { needs?: Needs; mayShare?: boolean } = {},
): Promise<Databases> {
  const missing = {
    follower: needs.follower && given.followerDatabaseUrl === null,
    predictor: needs.predictor && given.predictorDatabaseUrl === null,
  };
  if (given.demoDatabaseUrl !== null && given.followerDatabaseUrl === null) {
    throw new AppError("misconfigured", "DEMO_DATABASE_URL needs its standby's address in FOLLOWER_DATABASE_URL");
  }
  if (!missing.follower && !missing.predictor) {
    return { config: given, mainUrl: given.demoDatabaseUrl, troubles: () => ({}) };
  }
  if (missing.predictor && given.followerDatabaseUrl !== null) log.warn("databases.forTrying", { message: forTrying });
  const { runningUrls, startEmbedded } = await import("./embedded/cluster.ts");
  const embedded = await startEmbedded({ dataDir: given.dataDir, needs: missing, log }).catch((error: unknown) => {
    if (mayShare && error instanceof AppError && error.code === "conflict") return null;
    throw error;
  });
  if (embedded) opened.defer(() => embedded.stop());
  const urls: Pick<Embedded, "followerUrl" | "predictorUrl"> = embedded ?? (await runningUrls(given.dataDir));
  const config: Config = {
    ...given,
    followerDatabaseUrl: given.followerDatabaseUrl ?? urls.followerUrl,
    predictorDatabaseUrl: given.predictorDatabaseUrl ?? urls.predictorUrl,
  };
  const troubles = () => embedded?.troubles() ?? {};
  return { config, mainUrl: given.demoDatabaseUrl ?? embedded?.mainUrl ?? null, troubles };
}

/** The demo's sensors, who write the main database; resolves when the follower shows their history. */
export async function openDemo({ config, mainUrl }: Databases, log: Log, opened: AsyncDisposableStack) {
  if (mainUrl === null || config.followerDatabaseUrl === null) return null;
  const { openSensorApp } = await import("./demo/sensor-app.ts");
  const { waitForFollower } = await import("./embedded/prepare.ts");
  const sensorApp: SensorApp = await openSensorApp(mainUrl, log);
  opened.defer(() => sensorApp.close());
  if (await waitForFollower(mainUrl, config.followerDatabaseUrl, patienceMs)) return sensorApp;
  const text = `the standby does not show the demo's readings after ${patienceMs / 1_000} s`;
  const where = config.demoDatabaseUrl === null ? `${config.dataDir}/follower.log` : "its log";
  throw new AppError("followerUnavailable", `${text}: see ${where}`);
}
