import { type DoubledHour, doubledHours } from "./doubled-hours.ts";
import type { ResolvedSource } from "./source-catalog.ts";
import { type Bind, instantOf, wallClockOf } from "./source-time.ts";

/** The hours in [after, upTo] that the source's wall clock shows twice; none where it shows moments. */
export function doubledHoursOf(from: ResolvedSource, after: Date, upTo: Date): DoubledHour[] {
  const { timeZone } = from.source;
  const isWallClock = wallClockOf(from.time, timeZone) !== null;
  return isWallClock && timeZone !== undefined ? doubledHours(timeZone, after, upTo) : [];
}

/**
 * The reading's moment as timestamptz. What a clock shows twice is the later of its moments, unless that is ahead of
 * `now`: in the first of the two hours the present must not seem an hour away.
 */
export function likelyInstant(from: ResolvedSource, now: Date, bind: Bind): string {
  const at = instantOf(from.time, from.source.timeZone, bind);
  return doubledHoursOf(from, now, now).reduce((sooner, hour) => {
    const { isIn, earlier } = within(from, hour, at, bind);
    return `(case when ${isIn} and ${at} > ${bind(now)}::timestamptz then ${earlier} else ${sooner} end)`;
  }, at);
}

/** True of rows that no doubled hour is told of. */
export function isOutside(from: ResolvedSource, hours: DoubledHour[], bind: Bind): string {
  const at = instantOf(from.time, from.source.timeZone, bind);
  return hours.map((hour) => `(${within(from, hour, at, bind).isIn}) is not true`).join(" and ") || "true";
}

/**
 * One sensor's rows of a doubled hour with their moment `t`, from a table `r`: `columns` are taken along, `key` parts
 * rows that have an hour of their own (a target of the long layout), `condition` chooses them.
 *
 * In the order in which they arrived (`from.order`) the wall clock falls back once, by half of what it is set back or
 * more: what comes from there on is of the second hour. A reading an hour falls back by nothing: then two rows show
 * the same. Otherwise a reading is of the first hour where the second is not over yet by `now`, and else is left out: a
 * hole is better than the mean of two hours.
 */
export function doubledRows(
  from: ResolvedSource,
  hour: DoubledHour,
  { columns, key, condition }: { columns: string[]; key: string | null; condition: string },
  now: Date,
  bind: Bind,
): string {
  const at = instantOf(from.time, from.source.timeZone, bind);
  const { wall, column, isIn } = within(from, hour, at, bind);
  const shift = `make_interval(secs => ${hour.shiftSeconds})`;
  const parts = key === null ? "" : `partition by ${key}`;
  const order = from.order === null ? null : `${parts} order by o, w`;
  const fell = order === null ? "false" : `coalesce(lag(w) over (${order}) - w >= ${shift} / 2, false)`;
  const known =
    order === null
      ? ""
      : `when falls = 1 then t2 - (case when fallen = 0 then ${shift} else '0' end)
         when n = 2 and low = high then t2 - (case when place = 1 then ${shift} else '0' end)`;
  const counted =
    order === null
      ? ""
      : `, count(*) filter (where fell) over (${parts}) as falls, count(*) filter (where fell) over (${order}) as fallen,
         count(*) over (${parts}) as n, min(w) over (${parts}) as low, max(w) over (${parts}) as high,
         row_number() over (${order}) as place`;
  return `select *, case ${known} when t2 > ${bind(now)}::timestamptz then t2 - ${shift} end as t from (
      select *${counted} from (
        select *, ${fell} as fell from (
          select ${[`${wall} as w`, `${at} as t2`, `${from.order?.sql ?? "0"} as o`, ...columns].join(", ")}
          from ${from.table} as r where ${column} and ${isIn} and ${condition}
        ) as shown
      ) as compared
    ) as doubled`;
}

function within(from: ResolvedSource, hour: DoubledHour, at: string, bind: Bind) {
  const clock = wallClockOf(from.time, from.source.timeZone);
  if (clock === null) throw new Error("a source of moments has no doubled hours");
  const [first, last] = [bind(hour.from), bind(hour.to)];
  return {
    wall: clock.sql,
    column: clock.column(first, last),
    isIn: `${clock.sql} >= ${first}::timestamp and ${clock.sql} < ${last}::timestamp`,
    earlier: `${at} - make_interval(secs => ${hour.shiftSeconds})`,
  };
}
