import type { ResolvedSource } from "./source-catalog.ts";

/** A statement with its parameters; identifiers in it are quoted and known to the catalogue. */
export type Statement = { sql: string; parameters: unknown[] };

/**
 * Readings in (after, upTo] of `sensorIds`, one row a sensor that has any: `at0`, `at1`, ... and `values0`, ... in base64
 * (columnar.ts). Bytes and not text arrays: formatting and parsing millions of numbers costs more than reading them.
 */
export function windowQuery(from: ResolvedSource, sensorIds: string[], after: Date, upTo: Date): Statement {
  const parameters: unknown[] = [sensorIds, after, upTo];
  const at = instant(from, parameters);
  const columns =
    from.target === null
      ? [`${times("t")} as at0`, ...from.values.map((_, k) => `${numbers(`v${k}`)} as values${k}`)]
      : from.source.targets.flatMap((target, k) => {
          const filter = `filter (where k = ${bind(parameters, keyOf(target))})`;
          return [`${times("t", filter)} as at${k}`, `${numbers("v0", filter)} as values${k}`];
        });
  const values = from.values.map((value, k) => `${value} as v${k}`);
  const target = from.target === null ? [] : [`${from.target.sql} as k`];
  return {
    parameters,
    sql: `select s.id::text as id, w.*
      from unnest($1::${from.sensor.type}[]) as s (id)
      cross join lateral (
        select count(*) as n, ${columns.join(", ")}
        from (
          select ${[`${at} as t`, ...values, ...target].join(", ")}
          from ${from.table} as r
          where ${from.sensor.sql} = s.id and ${ofTargets(from, parameters)} and ${within(from, parameters)}
        ) as q
      ) as w
      where w.n > 0`,
  };
}

/** The newest moment up to `now` of each of `sensorIds` that has one: a step down the index per sensor (and target). */
export function newestQuery(from: ResolvedSource, sensorIds: string[], now: Date): Statement {
  const parameters: unknown[] = [sensorIds];
  return {
    parameters,
    sql: `select s.id::text as id, max(w.at) as at
      from unnest($1::${from.sensor.type}[]) as s (id) ${newestOf("s.id", from, parameters, now)}
      group by s.id`,
  };
}

/** The newest `limit` moments up to `now` of each of `sensorIds`, in base64 (columnar.ts), newest first. */
export function recentTimesQuery(from: ResolvedSource, sensorIds: string[], limit: number, now: Date): Statement {
  const parameters: unknown[] = [sensorIds, limit];
  const at = instant(from, parameters);
  return {
    parameters,
    sql: `select s.id::text as id, w.at
      from unnest($1::${from.sensor.type}[]) as s (id)
      cross join lateral (
        select ${times("t")} as at from (
          select distinct ${at} as t from ${from.table} as r
          where ${from.sensor.sql} = s.id and ${ofTargets(from, parameters)} and ${passed(from, parameters, now)}
          order by t desc limit $2
        ) as q
      ) as w
      where w.at is not null`,
  };
}

/** No more are counted per sensor: one with a wrong clock writes as many as any other. */
const mostAhead = 1_000;

/**
 * The newest moment up to `now` of the whole table, `at`, and how many readings are ahead of it, `ahead`; sensor by sensor
 * where an index leads from one to the next.
 */
export function newestOfAllQuery(from: ResolvedSource, isLoose: boolean, now: Date): Statement {
  const parameters: unknown[] = [];
  const ahead = aheadOf(from, parameters, now);
  if (isLoose) {
    const newest = newestOf("ids.id", from, parameters, now);
    return {
      parameters,
      sql: `${looseIds(from)} select
        (select max(w.at) from ids ${newest} where ids.id is not null) as at,
        (select coalesce(sum(a.n), 0)::float8 from ids cross join lateral (
          select count(*) as n from (
            select from ${from.table} as r where ${from.sensor.sql} = ids.id and ${ahead} limit ${mostAhead}
          ) as q
        ) as a where ids.id is not null) as ahead`,
    };
  }
  const at = instant(from, parameters);
  return {
    parameters,
    sql: `select max(${at}) filter (where ${passed(from, parameters, now)}) as at,
        count(*) filter (where ${ahead})::float8 as ahead
      from ${from.table} as r`,
  };
}

/**
 * Ids of the sensors with a reading in [since, now]. With an index that begins with the sensor it jumps from id to
 * id (PostgreSQL has no skip scan for distinct); without one it reads the table once.
 */
export function listQuery(from: ResolvedSource, since: Date, isLoose: boolean, now: Date): Statement {
  const parameters: unknown[] = [since];
  const at = instant(from, parameters);
  const recent = `${at} >= $1::timestamptz and ${coarse(from, "$1", ">=", "-", parameters)} and ${passed(from, parameters, now)}`;
  if (!isLoose) {
    const sql = `select distinct ${from.sensor.sql}::text as id from ${from.table} as r
      where ${from.sensor.sql} is not null and ${ofTargets(from, parameters)} and ${recent}`;
    return { parameters, sql };
  }
  return {
    parameters,
    sql: `${looseIds(from)} select ids.id::text as id from ids where ids.id is not null and exists (
      select from ${from.table} as r
      where ${from.sensor.sql} = ids.id and ${ofTargets(from, parameters)} and ${recent})`,
  };
}

/** One step of the jump, for EXPLAIN: whether the next id is found without reading or sorting the table. */
export function nextIdQuery(from: ResolvedSource): string {
  return nextId(from, "is not null");
}

function nextId(from: ResolvedSource, condition: string): string {
  const { sql } = from.sensor;
  return `select ${sql} as id from ${from.table} as r where ${sql} ${condition} order by ${sql} limit 1`;
}

function looseIds(from: ResolvedSource): string {
  return `with recursive ids as (
      (${nextId(from, "is not null")})
      union all
      select (${nextId(from, "> ids.id")}) from ids where ids.id is not null
    )`;
}

function newestOf(id: string, from: ResolvedSource, parameters: unknown[], now: Date): string {
  const at = instant(from, parameters);
  const { target } = from;
  const keys =
    target === null ? "" : `cross join unnest(${bind(parameters, keysOf(from))}::${target.type}[]) as k (key)`;
  return `${keys} cross join lateral (
    select ${at} as at from ${from.table} as r
    where ${from.sensor.sql} = ${id} ${target === null ? "" : `and ${target.sql} = k.key`} and ${passed(from, parameters, now)}
    order by ${from.time.sql} desc limit 1
  ) as w`;
}

/**
 * True for moments from the year 1 up to `now`. A sensor with a wrong clock may send any year that Postgres has, which is
 * more than a Date has; nothing of that is a reading yet.
 */
function passed(from: ResolvedSource, parameters: unknown[], now: Date): string {
  const bound = bind(parameters, now);
  const isReached = `${coarse(from, bound, "<=", "+", parameters)} and ${from.time.sql} >= '0001-01-02'`;
  return from.time.isNaive ? `${isReached} and ${instant(from, parameters)} <= ${bound}::timestamptz` : isReached;
}

/** True for moments after `now`. */
function aheadOf(from: ResolvedSource, parameters: unknown[], now: Date): string {
  const bound = bind(parameters, now);
  const isAhead = coarse(from, bound, ">", "-", parameters);
  return from.time.isNaive ? `${isAhead} and ${instant(from, parameters)} > ${bound}::timestamptz` : isAhead;
}

function within(from: ResolvedSource, parameters: unknown[]): string {
  const at = instant(from, parameters);
  return [
    coarse(from, "$2", ">", "-", parameters),
    coarse(from, "$3", "<=", "+", parameters),
    ...(from.time.isNaive ? [`${at} > $2::timestamptz`, `${at} <= $3::timestamptz`] : []),
  ].join(" and ");
}

/**
 * A bound on the bare column, for the index. A wall clock shows some moments twice and some never, so there the bound
 * gives three hours away, and an exact condition on the moment follows it.
 */
function coarse(from: ResolvedSource, bound: string, operator: string, sign: string, parameters: unknown[]): string {
  if (!from.time.isNaive) return `${from.time.sql} ${operator} ${bound}::timestamptz`;
  const zone = bind(parameters, from.source.timeZone);
  return `${from.time.sql} ${operator} (${bound}::timestamptz at time zone ${zone}) ${sign} interval '3 hours'`;
}

/** The reading's moment as timestamptz. */
function instant(from: ResolvedSource, parameters: unknown[]): string {
  return from.time.isNaive
    ? `(${from.time.sql} at time zone ${bind(parameters, from.source.timeZone)})`
    : from.time.sql;
}

function ofTargets(from: ResolvedSource, parameters: unknown[]): string {
  if (from.target === null) return "true";
  return `${from.target.sql} = any(${bind(parameters, keysOf(from))}::${from.target.type}[])`;
}

function keysOf(from: ResolvedSource): string[] {
  return from.source.targets.map(keyOf);
}

function keyOf(target: { name: string; key?: string | undefined }): string {
  return target.key ?? target.name;
}

/** Adds a parameter, or finds it among them; gives its placeholder. */
function bind(parameters: unknown[], value: unknown): string {
  const isText = typeof value === "string";
  const at = parameters.indexOf(value);
  const index = at === -1 ? parameters.push(value) : at + 1;
  return isText ? `$${index}::text` : `$${index}`;
}

function times(column: string, filter = ""): string {
  return `encode(string_agg(timestamptz_send(${column}), ''::bytea) ${filter}, 'base64')`;
}

function numbers(column: string, filter = ""): string {
  return `encode(string_agg(float8send(coalesce(${column}, 'NaN')), ''::bytea) ${filter}, 'base64')`;
}
