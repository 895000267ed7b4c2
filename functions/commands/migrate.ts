import { migrate } from "../adapters/postgres/migrate.ts";
import { loadConfig } from "../config/environment.ts";
import { openLog, openPredictor } from "../runtime.ts";
import { withDatabases } from "./databases.ts";

// npm run migrate: brings the predictor database (PREDICTOR_DATABASE_URL, else the embedded one) up to date. Safe at any time.
const given = await loadConfig();
const log = await openLog(given);
try {
  // The follower has nothing to migrate: any URL in its place keeps an embedded one from being started.
  const config = { ...given, followerDatabaseUrl: given.followerDatabaseUrl ?? "postgres://none" };
  await withDatabases(config, log, async (filled) => {
    const predictor = openPredictor(filled, 1);
    try {
      const ran = await migrate(predictor.db);
      log.info("migrated", {
        migrations: ran,
        message: ran.length === 0 ? "already up to date" : `ran ${ran.join(", ")}`,
      });
    } finally {
      await predictor.close();
    }
  });
} catch (error) {
  log.error("migrationFailed", { error });
  process.exitCode = 1;
}
