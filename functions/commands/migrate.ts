import { loadConfig } from "../config/environment.ts";
import { openDatabases } from "../machine/databases.ts";
import { describeRoles, openCurrentPredictor } from "../runtime/predictor.ts";
import { openLog } from "../runtime/process.ts";

// npm run migrate: brings the predictor database (PREDICTOR_DATABASE_URL, else the embedded one) up to date. Safe at
// any time. With `-- --roles` it only prints the SQL that gives workers and API roles of their own.
if (process.argv.includes("--roles")) {
  process.stdout.write(await describeRoles());
  process.exit(0);
}
const given = await loadConfig();
const log = await openLog(given);
try {
  await using opened = new AsyncDisposableStack();
  const needs = { follower: false, predictor: true };
  const { config } = await openDatabases(given, log, opened, { needs, mayShare: true });
  const { migrations } = await openCurrentPredictor(config, opened, 1);
  const message = migrations.length === 0 ? "already up to date" : `ran ${migrations.join(", ")}`;
  log.info("migrated", { migrations, message });
} catch (error) {
  log.error("migrationFailed", { error });
  process.exitCode = 1;
}
