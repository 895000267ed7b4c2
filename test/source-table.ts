import pg from "pg";

export type Fleetlike = { sensors: number; days: number; endAt: Date; stepSeconds?: number };

/** Runs statements on a database, one after the other. */
export async function runSql(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The default table: sensors 1..n, a daily wave with deterministic unrest, one reading a step, the last at `endAt`. */
export function wideTable({ sensors, days, endAt, stepSeconds = 600 }: Fleetlike): string[] {
  return [
    `create table sensor_readings (id bigint generated always as identity primary key, sensor_id integer not null,
      temperature double precision, humidity double precision, "timestamp" timestamptz not null)`,
    `insert into sensor_readings (sensor_id, temperature, humidity, "timestamp")
      select s, ${waveOf(20, 3)}, ${waveOf(50, 10)}, at from ${grid(days, endAt, stepSeconds)} cross join generate_series(1, ${sensors}) as s`,
    `create index on sensor_readings (sensor_id, "timestamp")`,
    "vacuum analyze sensor_readings",
  ];
}

/** A schema of one's own: text ids, a row per quantity, other names, local time without zone. */
export function longTable({ sensors, days, endAt, stepSeconds = 600 }: Fleetlike): string[] {
  return [
    "create schema plant",
    `create table plant."Messwerte" (device text not null, quantity text not null, amount numeric, measured timestamp not null)`,
    `insert into plant."Messwerte"
      select 'greenhouse/' || s, q, case q when 'temp' then ${waveOf(20, 3)} else ${waveOf(50, 10)} end,
        at at time zone 'Europe/Berlin'
      from ${grid(days, endAt, stepSeconds)} cross join generate_series(1, ${sensors}) as s, unnest(array['temp', 'rh']) as q`,
    `create index on plant."Messwerte" (device, quantity, measured)`,
    `vacuum analyze plant."Messwerte"`,
  ];
}

/** How `longTable` is read. */
export const longSource = {
  layout: "long",
  schema: "plant",
  table: "Messwerte",
  sensorColumn: "device",
  timeColumn: "measured",
  timeZone: "Europe/Berlin",
  targetColumn: "quantity",
  valueColumn: "amount",
  targets: [
    { name: "temperature", unit: "°C", min: -40, max: 85, key: "temp" },
    { name: "humidity", unit: "%", min: 0, max: 100, key: "rh" },
  ],
};

function grid(days: number, endAt: Date, stepSeconds: number): string {
  const end = `'${endAt.toISOString()}'::timestamptz`;
  return `generate_series(${end} - interval '${days} days', ${end}, interval '${stepSeconds} seconds') as at`;
}

function waveOf(mean: number, swing: number): string {
  const day = "2 * pi() * extract(epoch from at) / 86400";
  return `${mean} + (s % 500) * 0.01 + ${swing} * sin(${day}) + 0.2 * sin(extract(epoch from at) * (1 + s % 7) / 977)`;
}
