import { migrate } from "../adapters/postgres/migrate.ts";
import { loadConfig } from "../config.ts";
import { openLog, openPredictor } from "../runtime.ts";

// npm run migrate: brings the predictor database at PREDICTOR_DATABASE_URL up to date. Safe beside a running system.
const config = await loadConfig();
const log = await openLog(config);
const started = new AsyncDisposableStack();
try {
  let target = config;
  if (config.predictorDatabaseUrl === null) {
    const { startEmbedded } = await import("../adapters/embedded/cluster.ts");
    const embedded = await startEmbedded({ dataDir: config.dataDir, needs: { follower: false, predictor: true }, log });
    started.defer(() => embedded.stop());
    target = { ...config, predictorDatabaseUrl: embedded.predictorUrl };
  }
  const predictor = openPredictor(target, 1);
  started.defer(() => predictor.close());
  const ran = await migrate(predictor.db);
  log.info("migrated", { migrations: ran, message: ran.length === 0 ? "already up to date" : `ran ${ran.join(", ")}` });
} catch (error) {
  log.error("migrationFailed", { error });
  process.exitCode = 1;
} finally {
  await started.disposeAsync();
}
