import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: the view's columns and values are as they were. */
export const worksWith = "0030_neighbours";

/**
 * The view `scores` opens rows in plain SQL that the planner takes into the query: only the columns that are asked for
 * are made, and none of it in plpgsql, which took most of the time.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** A zigzag of a difference, back. */
const unfold = (code: string) => `((${code} >> 1) # -(${code} & 1))`;
/** The same of one within 32 bits: then no sum is a numeric. */
const unfoldShort = (code: string) => unfold(`(${code})::integer`);
/** Up to this row, in the order in which the codes lie. */
const soFar = "over (rows unbounded preceding)";
const codes = (from: string) => `unnest(codes[${from} : ${from} + n - 1])`;
/** As floats, or null for 0. */
const floats = (from: string) =>
  `array(select float4_of(nullif(bits, 0) - 1) from (select ${codes(from)} as bits) as u)`;
/** Seven leads in a number. */
const flag = (from: string, h: string) => `(codes[${from} + ${h} / 7] >> (${h} % 7)) & 1 = 1`;
const flags = (from: string) => `array(select ${flag(from, "h")} from (select generate_series(0, n - 1) as h) as u)`;
/** As errors, of so many steps from the one that is nearest to the actual. */
const error = (steps: string) => `actual - (nearest + ${steps}) * multiple / divisor`;
/** Differences of so many steps each, in which 0 stands for what is missing, as errors. */
const gappy = (from: string, steps: number) => `array(
  select (case when code > 0
    then ${error(`${steps} * sum(case when code > 0 then ${unfoldShort("code - 1")} end) ${soFar}`)} end)::real
  from (select ${codes(from)} as code) as u)`;
/** A float64 by its bits. */
const fraction = "(bits & 4503599627370495)::float8 / 4503599627370496::float8";
const float8 = `(case when bits < 0 then -1 else 1 end)::float8 * case when (bits >> 52) & 2047 = 0
  then ${fraction} * 2::float8 ^ -1022 else (1 + ${fraction}) * 2::float8 ^ (((bits >> 52) & 2047) - 1023) end`;

/**
 * The numbers that lie in `bytes` from its second byte on; before them is a zero. Seven bits a byte, the lowest first,
 * so many bytes a number at most.
 */
function numbersOf(bytes: string, size: string, mostBytes: number): string {
  const before = (back: number) => `get_byte(${bytes}, i - ${back})`;
  const cases = Array.from({ length: mostBytes }, (_, more) => {
    const parts = Array.from(
      { length: more },
      (_, j) => `| ((${before(j + 1)} - 128)::bigint << ${7 * (more - 1 - j)})`,
    );
    const number = [`(get_byte(${bytes}, i)::bigint << ${7 * more})`, ...parts].join(" ");
    return more === mostBytes - 1 ? `else ${number}` : `when ${before(more + 1)} < 128 then ${number}`;
  });
  return `array(select case ${cases.join(" ")} end from (select generate_series(1, ${size}) as i) as u
    where get_byte(${bytes}, i) < 128)`;
}

const head = "p.numbers";
/** Of a sum, in steps or as the bits of a float32. */
const sum = (place: number) =>
  `case when multiple is null then float4_of(${head}[${place}]) else ${head}[${place}] * multiple::float8 / divisor end`;
const statements = [
  `create function score_parts(heads bytea) returns table (kind_no integer, delay_ms float8, multiple integer, divisor integer,
      sums real[], n integer, start integer, size integer)
    language sql immutable parallel safe rows 2 as $$
    select kind_no, delay_ms, multiple, divisor, array[${head}[5], ${head}[6], ${sum(7)}, ${sum(8)}, ${head}[9], ${sum(10)},
      case when ${head}[9] = ${head}[5] then ${sum(7)} else ${sum(11)} end]::real[], n, (ends - size)::integer, size
    from (
      select numbers[1]::integer as kind_no, ${unfold("numbers[2]")}::float8 as delay_ms,
        nullif(numbers[3], 0)::integer as multiple, nullif(numbers[4], 0)::integer as divisor, numbers[5]::integer as n,
        numbers[12]::integer as size, sum(numbers[12]::integer) ${soFar} as ends, numbers
      from (
        select codes[12 * i + 1 : 12 * i + 12] as numbers from (
          select codes, unnest(array(select generate_series(0, cardinality(codes) / 12 - 1))) as i from (
            select ${numbersOf("h.bytes", "length(heads)", 8)} as codes
            from (select '\\x00'::bytea || heads as bytes offset 0) as h
            offset 0
          ) as c
        ) as u
      ) as one
    ) as p
    $$`,
  // One step within the other, each with what it adds: what no column asks for is not made, and by `offset 0` what
  // several ask for is made once. Series are unrolled in select lists, at half of what it costs behind `from`.
  `create function score_open(lists bytea, start integer, size integer, multiple integer, divisor integer, n integer)
    returns table (actual float8, leads integer[], error real[], pinball real[], is_covered boolean[], own_pinball real[],
      own_is_covered boolean[], persistence_error real[], seasonal_naive_error real[])
    language sql immutable parallel safe rows 1 as $$
    select actual,
      case when codes[1] > 0 then array(
        select (codes[3 * run - 1] + generate_series(0, codes[3 * run] - 1) * codes[3 * run + 1])::integer
        from (select generate_series(1, codes[1]) as run) as u) end,
      case when multiple is null then ${floats("at")} else array(
        select (${error("middle")})::real from (select unnest(middles) as middle) as u) end,
      pinball,
      is_covered,
      case when own = 0 then pinball
        when multiple is null then ${floats("at + 4 * n")}
        when own = 1 then array(
          select (case when code > 0 then step * (2::float8 ^ ((code - 1) / 16::float8) - 1) end)::real
          from (select ${codes("own_at")} as code) as u)
        else array(
          select (loss::float8 * 2::float8 ^ (${unfold("codes[own_at]")} / 64::float8))::real
          from (select unnest(pinball) as loss) as u) end,
      case when own = 1 then ${flags("flag + flags")} else is_covered end,
      case when multiple is null then ${floats("at + 2 * n")} else ${gappy("at + 2 * n", 4)} end,
      case when multiple is null then ${floats("at + 3 * n")}
        when naive = 0 then array_fill(null::real, array[n])
        when naive = 1 then array_fill((${error(unfold("codes[at + 3 * n + 1]"))})::real, array[n])
        else ${gappy("at + 3 * n + 1", 1)} end
    from (
      select *, case when multiple is null then ${floats("at + n")} else array(
        select ((case when hit then 0.5::float8 else 1.5::float8 end * abs(${error("middle")})
          + 0.1::float8 * sum(${unfoldShort("band")}) ${soFar} * step) / 3)::real
        from (select unnest(is_covered) as hit, unnest(middles) as middle, ${codes("at + n")} as band) as u) end as pinball
      from (
        select *, ${flags("flag")} as is_covered, case when multiple is not null then array(
          select sum(${unfoldShort("code")}) ${soFar} from (select ${codes("at")} as code) as u) end as middles
        from (
          select *, at + 3 * n + (case naive when 0 then 1 when 1 then 2 else 1 + n end) as own_at,
            multiple::float8 / divisor as step, floor(actual * divisor / multiple + 0.5::float8) as nearest
          from (
            select *, codes[at + 3 * n] as naive from (
              select *, flag + flags * (case own when 1 then 2 else 1 end) as at from (
                select *, codes[2 + 3 * codes[1]] as own, (3 + 3 * codes[1])::integer as flag, (n + 6) / 7 as flags
                from (
                  select ${float8} as actual, ${numbersOf("body", "size - 8", 5)} as codes
                  from (
                    select ('x' || encode(substring(lists from start + 1 for 8), 'hex'))::bit(64)::bigint as bits,
                      '\\x00'::bytea || substring(lists from start + 9 for size - 8) as body
                    offset 0
                  ) as bytes
                  offset 0
                ) as opened
              ) as own_kind
            ) as lists_from
          ) as naive_kind
          offset 0
        ) as places
        offset 0
      ) as lists
      offset 0
    ) as losses
    $$`,
  `create or replace view scores as
    select k.sensor_id, q.target, s.target_at, q.model_key, l.actual,
      s.target_at + h.delay_ms * interval '1 millisecond' as scored_at, l.leads, l.error, l.pinball, l.is_covered,
      l.own_pinball, l.own_is_covered, l.persistence_error, l.seasonal_naive_error, h.sums, h.multiple, h.divisor
    from scored_moment s join sensor_key k using (sensor_no) cross join lateral score_parts(s.heads) as h
    join score_kind q on q.kind_no = h.kind_no
    cross join lateral score_open(s.lists, h.start, h.size, h.multiple, h.divisor, h.n) as l
    union all
    select k.sensor_id, q.target, s.target_at, q.model_key, s.actual, s.scored_at, lead_list(s.leads) as leads,
      score_errors(0, actual, multiple, divisor, steps, exact) as error,
      score_losses(actual, multiple, divisor, steps, exact, covered) as pinball, score_covered(covered, 0) as is_covered,
      score_own_losses(multiple, divisor, steps, exact) as own_pinball, score_covered(covered, 1) as own_is_covered,
      score_errors(3, actual, multiple, divisor, steps, exact) as persistence_error,
      score_seasonal(actual, multiple, divisor, steps, seasonal, exact) as seasonal_naive_error,
      s.sums, s.multiple, s.divisor
    from scored s join sensor_key k using (sensor_no) join score_kind q using (kind_no)
    union all
    select sensor_id, target, target_at, model_key, actual, scored_at, leads, error, pinball, is_covered, own_pinball,
      own_is_covered, persistence_error, seasonal_naive_error, sums::real[], null, null
    from score`,
  `create or replace view score_total as
    select k.sensor_id, q.target, s.target_at, q.model_key,
      s.target_at + h.delay_ms * interval '1 millisecond' as scored_at, h.sums
    from scored_moment s join sensor_key k using (sensor_no) cross join lateral score_parts(s.heads) as h
    join score_kind q on q.kind_no = h.kind_no
    union all
    select k.sensor_id, q.target, s.target_at, q.model_key, s.scored_at, s.sums
    from scored s join sensor_key k using (sensor_no) join score_kind q using (kind_no)
    union all
    select sensor_id, target, target_at, model_key, scored_at, sums::real[] from score`,
  "drop function score_heads(bytea)",
  "drop function score_lists(bytea, integer, integer, integer, integer, integer)",
  "drop function packed_numbers(bytea, integer, integer)",
  "drop function float8_in(bytea, integer)",
];
