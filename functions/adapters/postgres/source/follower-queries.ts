import type { ResolvedSource } from "./source-catalog.ts";
import { instantOf, isBetween, isUsable } from "./source-time.ts";
import { doubledHoursOf, doubledRows, isOutside, likelyInstant } from "./wall-clock.ts";

/**
 * Text in several zones is not in the order of its moments, nor is a clock that was just set back: so many of the last
 * are looked at.
 */
const lastUnordered = 50;

/** A statement with its parameters; identifiers in it are quoted and known to the catalogue. */
export type Statement = { sql: string; parameters: unknown[] };

/**
 * Readings in (after, upTo] of `sensorIds`, one row a sensor that has any: `at0`, `at1`, ... and `values0`, ... in
 * base64 (columnar.ts). Bytes and not text arrays: formatting and parsing millions of numbers costs more than reading
 * them.
 *
 * Of a wall clock that shows an hour of (after, upTo] twice, its rows are told apart by themselves; by `now` those that
 * can only be of the first.
 */
export function windowQuery(from: ResolvedSource, sensorIds: string[], after: Date, upTo: Date, now: Date): Statement {
  const parameters: unknown[] = [sensorIds];
  const binding = (value: unknown) => bind(parameters, value);
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
  const taken = [...values, ...target];
  const names = ["t", ...from.values.map((_, k) => `v${k}`), ...target.map(() => "k")].join(", ");
  const condition = `${from.sensor.sql} = s.id and ${chosen(from, parameters)}`;
  const hours = doubledHoursOf(from, after, upTo);
  const doubled = hours.map((hour) => {
    const key = from.target === null ? null : "k";
    const rows = doubledRows(from, hour, { columns: taken, key, condition }, now, binding);
    return `union all select ${names} from (${rows}) as d where t > ${binding(after)}::timestamptz and t <= ${binding(upTo)}::timestamptz`;
  });
  return {
    parameters,
    sql: `select s.id::text as id, w.*
      from unnest($1::${from.sensor.type}[]) as s (id)
      cross join lateral (
        select count(*) as n, ${columns.join(", ")}
        from (
          select ${[`${at} as t`, ...taken].join(", ")}
          from ${from.table} as r
          where ${condition} and ${between(from, after, upTo, parameters)} and ${isOutside(from, hours, binding)}
          ${doubled.join(" ")}
        ) as q
      ) as w
      where w.n > 0`,
  };
}

/**
 * Cells of `sensorIds` in (after, upTo], all sensors in one row: `present0`, `numeric0`, ... and up to three examples
 * of text that is no number in `unreadable0`, ...
 */
export function valuesQuery(from: ResolvedSource, sensorIds: string[], after: Date, upTo: Date): Statement {
  const parameters: unknown[] = [sensorIds];
  const columns = from.source.targets.flatMap((target, k) => {
    const [raw, value] = [from.rawValues, from.values].map((each) => each[from.target === null ? k : 0]);
    const own = from.target === null ? "true" : `${from.target.sql} = ${bind(parameters, keyOf(target))}`;
    const isUnreadable = `${own} and ${raw} is not null and ${value} is null`;
    return [
      `count(*) filter (where ${own} and ${raw} is not null) as present${k}`,
      `count(*) filter (where ${own} and ${value} is not null) as numeric${k}`,
      `(array_agg(distinct left(${raw}, 40)) filter (where ${isUnreadable}))[1:3] as unreadable${k}`,
    ];
  });
  return {
    parameters,
    sql: `select ${columns.join(", ")}
      from unnest($1::${from.sensor.type}[]) as s (id) join ${from.table} as r on ${from.sensor.sql} = s.id
      where ${chosen(from, parameters)} and ${between(from, after, upTo, parameters)}`,
  };
}

/** The keys of a long layout among 100,000 rows as they lie. */
export function keysQuery(from: ResolvedSource): Statement {
  return {
    parameters: [],
    sql: `select left(key, 80) as key, count(*)::int as count
      from (select ${from.target?.sql ?? "null"}::text as key from ${from.table} as r limit 100000) as q
      where key is not null group by 1 order by 2 desc, 1 limit 20`,
  };
}

/** The oldest moment of each of `sensorIds` that has one. */
export function oldestQuery(from: ResolvedSource, sensorIds: string[]): Statement {
  const parameters: unknown[] = [sensorIds];
  return {
    parameters,
    sql: `select s.id::text as id, w.at from unnest($1::${from.sensor.type}[]) as s (id) cross join lateral (
      select ${instant(from, parameters)} as at from ${from.table} as r
      where ${from.sensor.sql} = s.id and ${isUsable(from.time)} order by ${from.time.sql} limit 1
    ) as w`,
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

/** No more are counted per sensor: one with a wrong clock writes as many as any other. */
const mostAhead = 1_000;

/**
 * The newest moment up to `now` of the whole table, `at`, and how many readings are ahead of it, `ahead`; sensor by
 * sensor where an index leads from one to the next.
 */
export function newestOfAllQuery(from: ResolvedSource, isLoose: boolean, now: Date): Statement {
  const parameters: unknown[] = [];
  const ahead = `${betweenBy(now, from, now, null, parameters)} and ${filtered(from, parameters)}`;
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
  return {
    parameters,
    sql: `select max(${likely(from, parameters, now)}) filter (where ${passed(from, parameters, now)}) as at,
        count(*) filter (where ${ahead})::float8 as ahead
      from ${from.table} as r where ${chosen(from, parameters)}`,
  };
}

/** No row of all columns that are mapped: the database looks whether they are there and may be read. */
export function answersQuery(from: ResolvedSource): Statement {
  const columns = [from.sensor.sql, from.time.sql, ...from.values, ...(from.target === null ? [] : [from.target.sql])];
  return { parameters: [], sql: `select ${columns.join(", ")} from ${from.table} as r limit 0` };
}

/** How far arrivals have come, as text; by a column that an index leads along, a step. */
export function arrivalMarkQuery({ order, table }: ResolvedSource): string | null {
  return order === null ? null : `select max(${order.sql})::text as mark from ${table} as r`;
}

/** Ids of the sensors with a reading of `before` or earlier that arrived after `mark`. */
export function lateArrivalsQuery(from: ResolvedSource, mark: string, before: Date): Statement {
  const parameters: unknown[] = [];
  const since = `${from.order?.sql} > ${bind(parameters, mark)}::${from.order?.type}`;
  return {
    parameters,
    sql: `select distinct ${from.sensor.sql}::text as id from ${from.table} as r
      where ${since} and ${chosen(from, parameters)} and ${between(from, null, before, parameters)}`,
  };
}

/**
 * Ids of the sensors with a reading in [since, now], to the millisecond. With an index that begins with the sensor it
 * jumps from id to id (PostgreSQL has no skip scan for distinct); without one it reads the table once.
 */
export function listQuery(from: ResolvedSource, since: Date, isLoose: boolean, now: Date): Statement {
  const parameters: unknown[] = [];
  const before = new Date(since.getTime() - 1);
  const recent = `${between(from, before, now, parameters)} and ${isUsable(from.time)} and ${chosen(from, parameters)}`;
  if (!isLoose) {
    const sql = `select distinct ${from.sensor.sql}::text as id from ${from.table} as r
      where ${from.sensor.sql} is not null and ${recent}`;
    return { parameters, sql };
  }
  return {
    parameters,
    sql: `${looseIds(from)} select ids.id::text as id from ids where ids.id is not null and exists (
      select from ${from.table} as r
      where ${from.sensor.sql} = ids.id and ${recent})`,
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
  const at = likely(from, parameters, now);
  const { target } = from;
  const isOrdered = from.time.format !== "iso" && doubledHoursOf(from, now, now).length === 0;
  const keys =
    target === null ? "" : `cross join unnest(${bind(parameters, keysOf(from))}::${target.type}[]) as k (key)`;
  return `${keys} cross join lateral (
    select ${at} as at from ${from.table} as r
    where ${from.sensor.sql} = ${id} ${target === null ? "" : `and ${target.sql} = k.key`} and ${passed(from, parameters, now)}
      and ${filtered(from, parameters)}
    order by ${from.time.sql} desc limit ${isOrdered ? 1 : lastUnordered}
  ) as w`;
}

/** True for moments that are one, up to `now`. */
function passed(from: ResolvedSource, parameters: unknown[], now: Date): string {
  return `${betweenBy(now, from, null, now, parameters)} and ${isUsable(from.time)}`;
}

/** As `between`, near the present `now`. */
function betweenBy(now: Date, from: ResolvedSource, after: Date | null, upTo: Date | null, parameters: unknown[]) {
  const binding = (value: unknown) => bind(parameters, value);
  return isBetween(from.time, from.source.timeZone, after, upTo, binding, () => likelyInstant(from, now, binding));
}

function likely(from: ResolvedSource, parameters: unknown[], now: Date): string {
  return likelyInstant(from, now, (value) => bind(parameters, value));
}

function between(from: ResolvedSource, after: Date | null, upTo: Date | null, parameters: unknown[]): string {
  return isBetween(from.time, from.source.timeZone, after, upTo, (value) => bind(parameters, value));
}

/** The reading's moment as timestamptz. */
function instant(from: ResolvedSource, parameters: unknown[]): string {
  return instantOf(from.time, from.source.timeZone, (value) => bind(parameters, value));
}

/** Rows of the mapped targets that the filter lets through. */
function chosen(from: ResolvedSource, parameters: unknown[]): string {
  return `${ofTargets(from, parameters)} and ${filtered(from, parameters)}`;
}

/** Rows `r` that a filter lets through. */
export function filtered({ filter }: Pick<ResolvedSource, "filter">, parameters: unknown[]): string {
  const conditions = filter.map(({ sql, type, accepted }) => {
    const column = ["text", "character varying"].includes(type) ? sql : `${sql}::text`;
    const values = accepted.filter((value) => value !== null);
    const isOneOf = values.length > 0 ? [`${column} = any(${bind(parameters, values)}::text[])`] : [];
    return `(${[...isOneOf, ...(accepted.includes(null) ? [`${sql} is null`] : [])].join(" or ")})`;
  });
  return conditions.join(" and ") || "true";
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
