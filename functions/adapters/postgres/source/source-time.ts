import type { Source, TimeFormat } from "../../../config/source.ts";
import { type Column, ident } from "./catalog.ts";

/** How the time column is read. `sql` is the bare column, which bounds are put on so that an index serves them. */
export type SourceTime = { sql: string; format: TimeFormat; type: string };

/** Adds a parameter to the statement, or finds it there; gives its placeholder. */
export type Bind = (value: unknown) => string;

const perSecond = { seconds: 1, milliseconds: 1e3, microseconds: 1e6 } as const;
/** Years 1970 to 9999: what lies beyond is no moment of a reading, and beyond 294276 ends the query. */
const lastSecond = 253_402_300_799;
const wholeTypes = ["smallint", "integer", "bigint"];
const numberTypes = [...wholeTypes, "numeric", "real", "double precision"];
const textTypes = ["text", "character varying", "character"];
const zonePattern = "(Z|z|UTC|[+-](0\\d|1[0-4])(:?[0-5]\\d)?)$";
/** Days that there are, leap years and all: what matches can be cast, and one bad cell does not end the query. */
const isoDate = [
  "[12]\\d{3}-(0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])",
  "[12]\\d{3}-(0[469]|11)-(0[1-9]|[12]\\d|30)",
  "[12]\\d{3}-02-(0[1-9]|1\\d|2[0-8])",
  "[12]\\d(0[48]|[2468][048]|[13579][26])-02-29",
].join("|");
const isoPattern = `^(${isoDate})[T ]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d([.,]\\d{1,9})?)?\\s?(${zonePattern.slice(1, -2)})?$`;

/** The time column as it will be read, or the sentences that say what to change. */
export function resolveTime(
  source: Source,
  column: Column,
): { ok: true; time: SourceTime } | { ok: false; problem: string } {
  const { name, type } = column;
  const given = source.timeFormat;
  const fail = (what: string) => ({ ok: false as const, problem: `timeColumn "${name}" is ${type}${what}` });
  const found = (format: TimeFormat) => ({ ok: true as const, time: { sql: `r.${ident(name)}`, format, type } });
  if (type === "timestamp with time zone") {
    if (source.timeZone !== undefined) return fail(`, timestamptz, and knows its moments by itself: remove "timeZone"`);
    return given === undefined || given === "timestamp" ? found("timestamp") : fail(`: remove "timeFormat"`);
  }
  if (type === "timestamp without time zone") {
    if (given !== undefined && given !== "timestamp") return fail(`: remove "timeFormat"`);
    if (source.timeZone !== undefined) return found("timestamp");
    return fail(': say whose wall clock it shows, for example "timeZone": "UTC" or "timeZone": "Europe/Berlin"');
  }
  if (numberTypes.includes(type)) {
    if (given !== undefined && given in perSecond) return found(given);
    return fail(
      ': timestamptz or timestamp is needed, or say what is counted since 1970: "timeFormat": "seconds", "milliseconds" or "microseconds"',
    );
  }
  if (textTypes.includes(type))
    return given === undefined || given === "iso" ? found("iso") : fail(': remove "timeFormat"');
  return fail(": timestamptz or timestamp is needed, a number since 1970, or ISO 8601 text; map a view that casts it");
}

function isNaive(time: SourceTime): boolean {
  return time.type === "timestamp without time zone";
}

/**
 * What the wall clock showed, as timestamp; null where the row names its zone. `column` is bounds of [from, to) of wall
 * clock times for an index. Null for a column that shows no wall clock.
 */
export function wallClockOf(
  time: SourceTime,
  timeZone: string | undefined,
): { sql: string; column(from: string, to: string): string } | null {
  const { sql } = time;
  if (timeZone === undefined) return null;
  if (isNaive(time)) return { sql, column: (from, to) => `${sql} >= ${from}::timestamp and ${sql} < ${to}::timestamp` };
  if (time.format !== "iso") return null;
  const day = (wall: string, days: string) => `to_char(${wall}::timestamp + interval '${days}', 'YYYY-MM-DD')`;
  return {
    sql: `(case when ${sql} ~ '${isoPattern}' and ${sql} !~ '${zonePattern}' then replace(${sql}, ',', '.')::timestamp end)`,
    column: (from, to) => `${sql} >= ${day(from, "0 days")} and ${sql} < ${day(to, "1 day")}`,
  };
}

/** The reading's moment as timestamptz; null where the column holds none. */
export function instantOf(time: SourceTime, timeZone: string | undefined, bind: Bind): string {
  const { sql, format } = time;
  if (format === "timestamp") return isNaive(time) ? `(${sql} at time zone ${bind(timeZone)})` : sql;
  if (format === "iso") {
    const clean = `replace(${sql}, ',', '.')`;
    const naive = timeZone === undefined ? "null" : `${clean}::timestamp at time zone ${bind(timeZone)}`;
    return `(case when ${sql} ~ '${isoPattern}' then case when ${sql} ~ '${zonePattern}' then ${clean}::timestamptz else ${naive} end end)`;
  }
  const scale = perSecond[format];
  return `(case when ${sql} between 0 and ${lastSecond * scale} then to_timestamp(${sql}::float8 / ${scale}) end)`;
}

/**
 * True of rows whose column holds a moment that can be one; on the bare column. A sensor with a wrong clock may send
 * any year that Postgres has, which is more than a Date has; the bound above is the caller's present.
 */
export function isUsable({ sql, format }: SourceTime): string {
  if (format === "timestamp") return `${sql} >= '0001-01-02'`;
  if (format === "iso") return `${sql} ~ '${isoPattern}'`;
  return `${sql} between 0 and ${lastSecond * perSecond[format]}`;
}

/**
 * Bounds of (after, upTo] for an index on the bare column, and the exact condition where they give something away: a
 * wall clock shows some moments twice and some never, and text may be in any zone. `at`: the reading's moment, where
 * more is known of it.
 */
export function isBetween(
  time: SourceTime,
  timeZone: string | undefined,
  after: Date | null,
  upTo: Date | null,
  bind: Bind,
  at: () => string = () => instantOf(time, timeZone, bind),
): string {
  const { sql, format, type } = time;
  const exact = () => [
    ...(after ? [`${at()} > ${bind(after)}::timestamptz`] : []),
    ...(upTo ? [`${at()} <= ${bind(upTo)}::timestamptz`] : []),
  ];
  if (format === "timestamp") {
    if (!isNaive(time)) return exact().join(" and ") || "true";
    const wall = (moment: Date) => `(${bind(moment)}::timestamptz at time zone ${bind(timeZone)})`;
    return [
      ...(after ? [`${sql} > ${wall(after)} - interval '3 hours'`] : []),
      ...(upTo ? [`${sql} <= ${wall(upTo)} + interval '3 hours'`] : []),
      ...exact(),
    ].join(" and ");
  }
  if (format === "iso") {
    const day = (moment: Date, days: number) =>
      bind(new Date(moment.getTime() + days * 86_400_000).toISOString().slice(0, 10));
    return [
      ...(after ? [`${sql} >= ${day(after, -1)}::text`] : []),
      ...(upTo ? [`${sql} < ${day(upTo, 2)}::text`] : []),
      ...exact(),
    ].join(" and ");
  }
  const isWhole = wholeTypes.includes(type);
  const bound = (moment: Date) => {
    const count = (moment.getTime() / 1000) * perSecond[format];
    const within = Math.min(Math.max(count, -1), lastSecond * perSecond[format]);
    return isWhole
      ? `${bind(Math.floor(within))}::bigint`
      : `${bind(within)}::${type === "numeric" ? "numeric" : "float8"}`;
  };
  return [
    isUsable(time),
    ...(after ? [`${sql} > ${bound(after)}`] : []),
    ...(upTo ? [`${sql} <= ${bound(upTo)}`] : []),
  ].join(" and ");
}
