import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Adaptation, freshAdaptation } from "../../../../core/mix/adaptation.ts";
import { everyLead } from "../../../../core/model/leads.ts";
import type { Adaptations } from "../../../../core/ports.ts";
import { addSeconds } from "../../../../core/time.ts";
import { postgresAdaptations } from "../../../../functions/adapters/postgres/adaptation.ts";
import { type Database, openDatabase } from "../../../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../../../functions/adapters/postgres/schema.ts";
import { migrations } from "../../../../functions/migrations/all.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";
import { slot } from "./builders.ts";

let postgres: TestPostgres;
let database: Database<PredictorSchema>;
let adaptations: Adaptations;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  database = openDatabase({ url: await postgres.createPredictorDatabase(), side: "predictor", max: 4 });
  adaptations = postgresAdaptations(database.db);
  return () => database.close();
});

/** A state in which no two numbers are the same, some of them hardly a float32. */
function stateOf(through: Date | null, seed = 1, leads = everyLead(24)): Adaptation {
  let next = seed;
  const any = () => Math.fround(Math.sin(next++) * 10 ** ((next % 40) - 30));
  const fill = (rows: number[][]) => rows.map((row) => row.map(any));
  const { regret, square, bound, width, middle } = freshAdaptation(leads);
  return {
    version: 2,
    leads,
    through,
    regret: fill(regret),
    square: fill(square),
    bound: bound.map(any),
    width: fill(width),
    middle: middle.map(any),
  };
}
const stored = async (target = "temperature") => (await adaptations.load(["room1"])).get("room1")?.get(target);
const of = (state: Adaptation, target = "temperature") => ({ sensorId: "room1", target, state });

test("gives each target's state back, every bit of it", async () => {
  const [temperature, humidity] = [stateOf(slot), stateOf(slot, 999)];
  await adaptations.save([of(temperature), of(humidity, "humidity")]);
  expect(await stored()).toEqual(temperature);
  expect(await stored("humidity")).toEqual(humidity);
  expect(await adaptations.load(["room2"])).toEqual(new Map());
});

test("of two who learn at the same time the one who learnt further stays, in either order", async () => {
  const [less, more] = [stateOf(slot), stateOf(addSeconds(slot, 600), 7)];
  await Promise.all([adaptations.save([of(more)]), adaptations.save([of(less)])]);
  expect(await stored()).toEqual(more);
  await adaptations.save([of(less)]);
  expect(await stored()).toEqual(more);
});

test("what learnt nothing is not stored", async () => {
  await adaptations.save([of(stateOf(null))]);
  expect(await stored()).toBeUndefined();
});

test("keeps what earlier releases had learnt, every bit of it; the middle stands where the widths had moved it to", async () => {
  const old = openDatabase<PredictorSchema>({ url: await postgres.createDatabase(), side: "predictor", max: 1 });
  const names = Object.keys(migrations);
  const mine = names.indexOf("0021_learnt");
  for (const name of names.slice(0, mine)) await migrations[name]!.up(old.db as never);
  const width = [
    [0, -0.5, -1.5],
    [0, 0.5, 1.5],
  ].map((side) => side.map(Math.fround));
  const known = { ...stateOf(slot, 5, [1, 2, 6]), width };
  const numbers = [...known.regret, ...known.square, known.bound, ...known.width].flat();
  await sql`insert into adaptation (sensor_id, target, version, through, leads, state)
    values ('room1', 'temperature', 2, ${slot}, ${[1, 2, 6]}, ${numbers}::real[])`.execute(old.db);
  for (const name of names.slice(mine)) await migrations[name]!.up(old.db as never);
  const found = (await postgresAdaptations(old.db).load(["room1"])).get("room1")?.get("temperature");
  expect(found).toEqual({ ...known, middle: [0, expect.closeTo(1.25 * Math.tanh(0.5) ** 2, 3), 0.5] });
  await postgresAdaptations(old.db).save([of({ ...found!, through: addSeconds(slot, 600) })]);
  const again = (await postgresAdaptations(old.db).load(["room1"])).get("room1")?.get("temperature");
  expect(again).toEqual({ ...found, through: addSeconds(slot, 600) });
  // An older release goes on with the state, of other leads, and leaves the middle as it was.
  await sql`update adaptation set leads = ${[1, 2]}, state = substring(state for ${4 * 2 * 13})`.execute(old.db);
  const other = (await postgresAdaptations(old.db).load(["room1"])).get("room1")?.get("temperature");
  expect(other?.middle).toHaveLength(2);
  await old.close();
});
