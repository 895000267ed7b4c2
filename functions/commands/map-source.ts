import { AppError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import { loadConfig } from "../config/environment.ts";
import { openDatabases } from "../machine/databases.ts";
import { proposeSources } from "../runtime/follower.ts";

// npm run map-source: proposes SOURCE_CONFIG from the catalogue of FOLLOWER_DATABASE_URL and a few rows of its tables.
const quiet: Log = { info() {}, warn() {}, error: (event, fields) => console.error(event, fields) };
try {
  await using opened = new AsyncDisposableStack();
  const given = await loadConfig();
  const { config } = await openDatabases(given, quiet, opened, {
    needs: { follower: true, predictor: false },
    mayShare: true,
  });
  const proposals = await proposeSources(config);
  if (proposals.length === 0) {
    throw new AppError(
      "badInput",
      "no table that this role may read has a sensor, a time and a quantity by name: write SOURCE_CONFIG yourself (docs/sources.md)",
    );
  }
  for (const { table, mapping, notes } of proposals) {
    console.log(`${table}\n${JSON.stringify(mapping, null, 2)}`);
    for (const note of notes) console.log(`! ${note}`);
    console.log();
  }
  console.log("Save the one that fits as source.json, then: SOURCE_CONFIG=source.json npm run check-source");
} catch (error) {
  console.error(`✗ ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
