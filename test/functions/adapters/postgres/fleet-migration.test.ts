import { sql } from "kysely";
import { expect, test } from "vitest";
import { openDatabase } from "../../../../functions/adapters/postgres/connection/pool.ts";
import { postgresRegistry } from "../../../../functions/adapters/postgres/registry/registry.ts";
import type { PredictorSchema } from "../../../../functions/adapters/postgres/schema.ts";
import { up } from "../../../../functions/migrations/0015_fleet.ts";
import { startTestPostgres } from "../../../postgres.ts";
import { manifestOf, slot } from "./builders.ts";

test("enters the versions that models name already: the one that most sensors are served by is champion", async () => {
  await using stack = new AsyncDisposableStack();
  const postgres = await startTestPostgres();
  stack.defer(() => postgres.stop());
  const url = await postgres.createPredictorDatabase();
  const database = openDatabase<PredictorSchema>({ url, side: "predictor", max: 1 });
  stack.defer(() => database.close());
  await sql`alter table model drop column fleet_id`.execute(database.db);
  await sql`drop table fleet`.execute(database.db);
  const digest = "d".repeat(64);
  const add = async (modelId: string, sensorId: string, fleetId: string | null, status: string) => {
    const fleet = fleetId === null ? {} : { fleet: { fleetId, digest, pack: digest } };
    const manifest = JSON.stringify(manifestOf(modelId, { sensorId, ...fleet }));
    const [promoted, retired] = [status === "challenger" ? null : slot, status === "retired" ? slot : null];
    await sql`insert into model (model_id, sensor_id, status, status_reason, manifest, model_sha256, created_at,
        promoted_at, retired_at)
      values (${modelId}, ${sensorId}, ${status}, '', ${manifest}::jsonb, ${digest}, ${slot}, ${promoted}, ${retired})`.execute(
      database.db,
    );
  };
  await add("a1", "a", "one", "champion");
  await add("b1", "b", "one", "champion");
  await add("c0", "c", "zero", "retired");
  await add("a2", "a", "two", "challenger");
  await add("own", "d", null, "champion");
  const bare = openDatabase<unknown>({ url, side: "predictor", max: 1 });
  stack.defer(() => bare.close());
  await up(bare.db);
  const fleets = await postgresRegistry(database.db).fleets(9);
  const seen = fleets.map(({ fleetId, status, champions, challengers }) => [fleetId, status, champions, challengers]);
  expect(seen.sort()).toEqual([
    ["one", "champion", 2, 0],
    ["two", "challenger", 0, 1],
    ["zero", "retired", 0, 0],
  ]);
});
