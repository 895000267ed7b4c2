import type { Readings } from "../../../core/data/reading.ts";
import type { RegisteredModel } from "../../../core/model/registered.ts";
import type { ForecastPorts } from "../../../core/operations/forecast.ts";
import type { Database } from "../../../functions/adapters/postgres/pool.ts";
import type { PredictorSchema } from "../../../functions/adapters/postgres/schema.ts";

type Parts = {
  ports: ForecastPorts;
  follower: Database<unknown>;
  predictor: Database<PredictorSchema>;
  models: Map<string, RegisteredModel>;
};

/**
 * The way that comes first to mind, by the same use case over other ports: one query a sensor that fetches its rows, one
 * session run a sensor (models at hand and loaded), one insert for every forecast point and quantile.
 */
export async function openNaive({ ports, follower, predictor, models }: Parts): Promise<{ ports: ForecastPorts }> {
  await predictor.query(`create table naive_forecast (sensor_id text, target text, origin timestamptz, lead integer,
    quantile float8, value float8 not null, primary key (sensor_id, target, origin, lead, quantile))`);
  const readRows = async (sensorId: string, after: Date, upTo: Date): Promise<Readings> => {
    const rows = await follower.query<{ timestamp: Date; temperature: number | null; humidity: number | null }>(
      `select "timestamp", temperature, humidity from sensor_readings
      where sensor_id = $1 and "timestamp" > $2 and "timestamp" <= $3 order by "timestamp"`,
      [sensorId, after, upTo],
    );
    return {
      at: Float64Array.from(rows, (row) => row.timestamp.getTime()),
      values: {
        temperature: Float64Array.from(rows, (row) => row.temperature ?? Number.NaN),
        humidity: Float64Array.from(rows, (row) => row.humidity ?? Number.NaN),
      },
    };
  };
  const naive: ForecastPorts = {
    ...ports,
    follower: {
      ...ports.follower,
      async readWindows(sensorIds, after, upTo) {
        const windows = new Map<string, Readings>();
        for (const sensorId of sensorIds) windows.set(sensorId, await readRows(sensorId, after, upTo));
        return windows;
      },
    },
    registry: {
      ...ports.registry,
      champions: async (sensorIds) =>
        new Map(sensorIds.flatMap((id) => (models.has(id) ? [[id, models.get(id)!]] : []))),
      challengers: async () => [],
    },
    ledger: {
      ...ports.ledger,
      decided: async () => new Set(),
      async record(_outcomes, forecasts) {
        for (const { sensorId, target, origin, q10, q50, q90 } of forecasts) {
          for (const [quantile, column] of [[0.1, q10] as const, [0.5, q50] as const, [0.9, q90] as const]) {
            for (const [index, value] of column.entries()) {
              await predictor.query(
                "insert into naive_forecast values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
                [sensorId, target, origin, index + 1, quantile, value],
              );
            }
          }
        }
      },
    },
  };
  return { ports: naive };
}
