import type { Kysely } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { type Database, openDatabase } from "../../../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../../../functions/adapters/postgres/schema.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";

/** Gives each test of the file that calls it a predictor database of its own, with up to `max` connections. */
export function freshDatabase(max = 4): { readonly db: Kysely<PredictorSchema> } {
  let postgres: TestPostgres;
  let database: Database<PredictorSchema>;
  beforeAll(async () => {
    postgres = await startTestPostgres();
  });
  beforeEach(async () => {
    database = openDatabase({ url: await postgres.createPredictorDatabase(), side: "predictor", max });
  });
  afterEach(() => database.close());
  afterAll(() => postgres.stop());
  return {
    get db() {
      return database.db;
    },
  };
}
