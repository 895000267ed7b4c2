import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { postgresAdaptations } from "../../functions/adapters/postgres/adaptation.ts";
import { postgresAnnotations } from "../../functions/adapters/postgres/annotation/annotations.ts";
import { type Database, openDatabase } from "../../functions/adapters/postgres/connection/pool.ts";
import { postgresLeases } from "../../functions/adapters/postgres/leases.ts";
import { postgresLedger } from "../../functions/adapters/postgres/ledger.ts";
import { postgresPartSums } from "../../functions/adapters/postgres/registry/part-sums.ts";
import { postgresRegistry } from "../../functions/adapters/postgres/registry/registry.ts";
import type { PredictorSchema } from "../../functions/adapters/postgres/schema.ts";
import { postgresScores } from "../../functions/adapters/postgres/score/scores.ts";
import { startTestPostgres, type TestPostgres } from "../postgres.ts";
import { annotationsContract } from "./annotations.ts";
import { ledgerContract } from "./ledger.ts";
import {
  adaptationsContract,
  fleetRegistryContract,
  leasesContract,
  partSumsContract,
  registryContract,
} from "./registry.ts";

let postgres: TestPostgres;
let database: Database<PredictorSchema> | undefined;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterEach(() => database?.close());
afterAll(() => postgres?.stop());

async function open() {
  database = openDatabase<PredictorSchema>({
    url: await postgres.createPredictorDatabase(),
    side: "predictor",
    max: 2,
  });
  return database.db;
}

describe("in Postgres", () => {
  ledgerContract(async () => {
    const db = await open();
    return { ledger: postgresLedger(db), scores: postgresScores(db) };
  });
  registryContract(async () => postgresRegistry(await open()));
  partSumsContract(async () => postgresPartSums(await open()));
  fleetRegistryContract(async () => postgresRegistry(await open()));
  adaptationsContract(async () => postgresAdaptations(await open()));
  leasesContract(async () => postgresLeases(await open()));
  annotationsContract(async () => postgresAnnotations(await open()));
});
