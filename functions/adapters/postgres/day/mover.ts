import { type Kysely, type Selectable, sql } from "kysely";
import { toForecast } from "../forecast/forecast-row.ts";
import { postgresLedger } from "../ledger.ts";
import type { PredictorSchema } from "../schema.ts";

/** Sensors and slots that one transaction moves. */
const slotsAtOnce = 200;
/** In one pass, which the next one goes on from. */
const mostBatches = 10;

/**
 * Moves forecasts from the table of before into `issued`, oldest slots first, while everybody works: a batch is in one
 * table or the other, never in neither. Gives back how many it moved.
 */
export async function moveBefore(db: Kysely<PredictorSchema>): Promise<number> {
  let moved = 0;
  for (let batch = 0; batch < mostBatches; batch++) {
    const rows = await moveSome(db);
    if (rows === 0) break;
    moved += rows;
  }
  return moved;
}

async function moveSome(db: Kysely<PredictorSchema>): Promise<number> {
  const { rows: some } = await sql<{ sensor_id: string }>`select sensor_id from forecast_before limit 1`.execute(db);
  const [first] = some;
  if (first === undefined) return 0;
  return db.transaction().execute(async (transaction) => {
    const { rows } = await sql<Selectable<PredictorSchema["forecast_before"]>>`
      delete from forecast_before as f using (
        select distinct slot from forecast_before where sensor_id = ${first.sensor_id} order by slot limit ${slotsAtOnce}
      ) as few
      where f.sensor_id = ${first.sensor_id} and f.slot = few.slot returning f.*`.execute(transaction);
    await postgresLedger(transaction).record([], rows.map(toForecast));
    return rows.length;
  });
}
