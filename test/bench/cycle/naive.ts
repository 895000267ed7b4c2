import type { Readings } from "../../../core/data/reading.ts";
import type { Artefact } from "../../../core/model/manifest.ts";
import type { ModelStore } from "../../../core/model/ports.ts";
import type { RegisteredModel } from "../../../core/model/registered.ts";
import type { ForecastPorts } from "../../../core/operations/forecast.ts";
import type { Database } from "../../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../../functions/adapters/postgres/schema.ts";
import { modelOf } from "../../builders.ts";

type Parts = {
  ports: ForecastPorts;
  follower: Database<unknown>;
  predictor: Database<PredictorSchema>;
  models: Map<string, RegisteredModel>;
};

/** A model of its own for every sensor out of one artefact: other ids, the same bytes, each its own champion. */
export function copyModels(artefact: Artefact, sensorIds: string[]): { store: ModelStore; models: Parts["models"] } {
  const copyFor = (sensorId: string): Artefact => {
    const manifest = { ...artefact.manifest, modelId: `naive-${sensorId}`, sensorId };
    return { ...artefact, manifest };
  };
  const store: ModelStore = {
    get: async (modelId) => copyFor(modelId.slice("naive-".length)),
    put: async () => {},
  };
  return { store, models: new Map(sensorIds.map((sensorId) => [sensorId, modelOf(copyFor(sensorId).manifest)])) };
}

/**
 * The way that comes first to mind, by the same use case over other ports: one query a sensor that fetches its rows,
 * one session run a sensor (models at hand and loaded), one insert for every forecast point and quantile.
 */
export async function openNaive({ ports, follower, predictor, models }: Parts) {
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
        for (const { sensorId, target, origin, leads, q10, q50, q90 } of forecasts) {
          for (const [quantile, column] of [[0.1, q10] as const, [0.5, q50] as const, [0.9, q90] as const]) {
            for (const [index, value] of column.entries()) {
              await predictor.query(
                "insert into naive_forecast values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
                [sensorId, target, origin, leads[index], quantile, value],
              );
            }
          }
        }
      },
    },
  };
  return {
    ports: naive,
    score: (sensorIds: string[], at: Date, lastLead: number) =>
      scoreNaively({ follower, predictor }, sensorIds, at, lastLead),
  };
}

/** As many stored forecasts as a system has that runs since a horizon: those that ours has issued, a row a quantile. */
export async function fillNaive(predictor: Database<PredictorSchema>, sensorIds: string[], upTo: Date): Promise<void> {
  await predictor.query(
    "create table if not exists naive_score (sensor_id text, target text, target_at timestamptz, lead integer, actual float8 not null, error float8 not null, pinball float8 not null, is_covered boolean not null, primary key (sensor_id, target, target_at, lead))",
  );
  await predictor.query(
    `insert into naive_forecast
     select sensor_id, target, origin, lead, quantile, value from forecast_point
     cross join lateral unnest(array[0.1, 0.5, 0.9]::float8[], array[q10, q50, q90]) as u (quantile, value)
     where sensor_id = any($1::text[]) and origin < $2 and is_served on conflict do nothing`,
    [sensorIds, upTo],
  );
}

type Databases = Pick<Parts, "follower" | "predictor">;

/**
 * One reading and one select a sensor, one insert a lead: every stored forecast of the last horizons that speaks of the
 * moment.
 */
async function scoreNaively(
  { follower, predictor }: Databases,
  sensorIds: string[],
  at: Date,
  lastLead: number,
): Promise<void> {
  const step = 600_000;
  for (const sensorId of sensorIds) {
    const [reading] = await follower.query<Record<string, number | null>>(
      `select temperature, humidity from sensor_readings where sensor_id = $1 and "timestamp" = $2`,
      [sensorId, at],
    );
    const rows = await predictor.query<{ target: string; origin: Date; lead: number; quantile: number; value: number }>(
      "select target, origin, lead, quantile, value from naive_forecast where sensor_id = $1 and origin >= $2 and origin < $3",
      [sensorId, new Date(at.getTime() - lastLead * step), at],
    );
    const due = rows.filter(({ origin, lead }) => origin.getTime() + lead * step === at.getTime());
    for (const [, triple] of Map.groupBy(due, ({ target, lead }) => `${target} ${lead}`)) {
      const { target, lead } = triple[0]!;
      const actual = reading?.[target];
      if (actual == null) continue;
      const [low, middle, high] = triple.sort((a, b) => a.quantile - b.quantile).map(({ value }) => value);
      const losses = triple.map(({ quantile, value }) =>
        Math.max(quantile * (actual - value), (quantile - 1) * (actual - value)),
      );
      await predictor.query("insert into naive_score values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing", [
        ...[sensorId, target, at, lead, actual, actual - middle!],
        ...[losses.reduce((sum, loss) => sum + loss, 0) / 3, low! <= actual && actual <= high!],
      ]);
    }
  }
}
