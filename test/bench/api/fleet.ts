import { Worker } from "node:worker_threads";
import pg from "pg";
import type { Ledger } from "../../../core/ports.ts";
import { addSeconds, floorToStep } from "../../../core/time.ts";
import { openDatabase } from "../../../functions/adapters/postgres/connection/pool.ts";
import { migrate } from "../../../functions/adapters/postgres/migrate.ts";
import type { PredictorSchema } from "../../../functions/adapters/postgres/schema.ts";
import { predictorPorts } from "../../../functions/runtime/predictor.ts";
import { forecastsOf, outcomeOf } from "../../functions/api/harness.ts";
import { startTestPostgres } from "../../postgres.ts";
import { cpuMsOfChildren } from "../cpu.ts";

export const stepSeconds = 600;
const hours = 25;

/** A Postgres with a predictor database of `sensors` decided sensors, and in it a source with a day of readings. */
export async function seedFleet(sensors: number) {
  const postgres = await startTestPostgres();
  const url = await postgres.createDatabase();
  const database = openDatabase<PredictorSchema>({ url, side: "predictor", max: 2 });
  await migrate(database.db);
  const { ledger } = predictorPorts(database);
  const slot = floorToStep(new Date(), stepSeconds);
  await ledger.rememberSensors(["sensor-0"], slot);
  const origin = { origin: slot, sensorId: "sensor-0" };
  await ledger.record([outcomeOf({ sensorId: "sensor-0", slot })], forecastsOf(origin));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const ids = `'sensor-' || n from generate_series(1, ${sensors}) as n`;
  const at = `'${slot.toISOString()}'::timestamptz`;
  for (const statement of [
    `insert into sensor (sensor_id, first_seen_at) select ${ids.replace(" from", `, ${at} from`)}`,
    `insert into sensor_key (sensor_id) select ${ids}`,
    `insert into issued (slot, origin, lineage_id, issued_at, source_watermark, sensor_no, is_served, learnt_through, reason_texts, packed, exact, shares)
      select i.slot, i.origin, i.lineage_id, i.issued_at, i.source_watermark, k.sensor_no, i.is_served, i.learnt_through, i.reason_texts, i.packed, i.exact, i.shares
      from issued i join sensor_key own on own.sensor_no = i.sensor_no and own.sensor_id = 'sensor-0'
      cross join sensor_key k where k.sensor_id <> 'sensor-0'`,
    `insert into outcome (sensor_id, slot, status, reason, reason_text, decided_at)
      select 'sensor-' || n, ${at}, case when n % 50 = 0 then 'refused' when n % 20 = 0 then 'baseline' else 'issued' end,
        case when n % 50 = 0 then 'gap' when n % 20 = 0 then 'noModel' end, case when n % 50 = 0 then '2 h are missing' end, ${at}
      from generate_series(1, ${sensors}) as n`,
    `insert into sensor_state (sensor_id, slot, status, reason, reason_text, held, decided_at, forecast_slot, newest_reading_at, skill, coverage, trouble, merit, scored_at)
      select sensor_id, slot, status, reason, reason_text, 0, decided_at, slot, ${at}, random(), 0.7 + 0.2 * random(), random() * 0.5,
        '{"temperature": {"n": 1008, "skill": 0.31, "coverage": 0.79}, "humidity": {"n": 1008, "skill": 0.22, "coverage": 0.81}}', ${at}
      from outcome where sensor_id <> 'sensor-0'`,
    `insert into sensor_profile (sensor_id, name, group_path, updated_at)
      select 'sensor-' || n, 'Room ' || n, 'site ' || n % 10 || '/floor ' || n % 7, ${at} from generate_series(1, ${sensors}) as n`,
    `insert into cycle (slot, opened_at, fanned_out_at, finished_at, sensors, shards) values (${at}, ${at}, ${at}, ${at}, ${sensors}, 1)`,
    `create table sensor_readings (id bigint, sensor_id text, temperature float8, humidity float8, "timestamp" timestamptz)`,
    `insert into sensor_readings select 1, 'sensor-' || n, 20 + sin(n + i / 20.0), 50 + 5 * sin(n + i / 30.0), ${at} - i * interval '600 s'
      from generate_series(1, ${sensors}) as n, generate_series(0, ${hours * 6}) as i`,
    `create index on sensor_readings (sensor_id, "timestamp")`,
    "vacuum analyze",
  ]) {
    await client.query(statement);
  }
  await client.end();

  const storeShard = shardStore(ledger, { slot, sensors });
  return {
    url,
    storeShard,
    /** Goes on storing shards until it is told to stop, in a thread of its own: whoever measures is not held up. */
    storeShards() {
      const worker = new Worker(new URL("./shards.ts", import.meta.url), { workerData: { url, slot, sensors } });
      return { stop: () => worker.terminate() };
    },
    /** Of the server and all its backends. */
    postgresCpuMs: () => cpuMsOfChildren("postgres"),
    async stop() {
      await database.close();
      await postgres.stop();
    },
  };
}

/** Stores, at each call, the next hundred sensors of the next slot, as a cycle does. */
export function shardStore(ledger: Ledger, { slot, sensors }: { slot: Date; sensors: number }) {
  let stored = 0;
  return async () => {
    const next = addSeconds(slot, stepSeconds * (1 + Math.floor(stored / sensors)));
    const ids = Array.from({ length: Math.min(100, sensors) }, (_, i) => `sensor-${((stored + i) % sensors) + 1}`);
    stored += ids.length;
    await ledger.record(
      ids.map((sensorId) => outcomeOf({ sensorId, slot: next })),
      ids.flatMap((sensorId) => forecastsOf({ sensorId, origin: next })),
    );
  };
}
