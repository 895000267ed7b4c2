import { type Kysely, sql } from "kysely";

/**
 * Scores of a sensor's moment in one row, all targets and models together and a byte or two a number; see
 * functions/adapters/postgres/score/score-pack.ts. Rows of before stay where they are, are read along by the views
 * `scores` and `score_total` and go by their time. An older release would not see the new ones: no way back over this.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** What both views have of a row of a score, and of one of before. */
const keyed = "k.sensor_id, q.target, s.target_at, q.model_key";
const delayed = "s.target_at + h.delay_ms * interval '1 millisecond' as scored_at";
const named = "join sensor_key k using (sensor_no) join score_kind q using (kind_no)";
const opened = `scored_moment s join sensor_key k using (sensor_no) cross join lateral score_heads(s.heads) as h
  join score_kind q on q.kind_no = h.kind_no`;

/** A zigzag of a difference, back. */
const unfold = (code: string) => `((${code} >> 1) # -(${code} & 1))`;
/** As floats, or null for 0. */
const floats = (from: string) =>
  `array(select float4_of(nullif(u.bits, 0) - 1) from unnest(codes[${from} : ${from} + n - 1])
    with ordinality as u (bits, place) order by u.place)`;
/** Seven leads in a number. */
const flags = (from: string) =>
  `array(select (codes[${from} + h / 7] >> (h % 7)) & 1 = 1 from generate_series(0, n - 1) as h)`;

const statements = [
  `create table scored_moment (
    target_at timestamptz not null,
    sensor_no integer not null,
    heads bytea not null,
    lists bytea not null,
    primary key (sensor_no, target_at)
  ) partition by range (target_at)`,
  `create function float8_in(bytes bytea, start integer) returns float8 language plpgsql immutable strict parallel safe as $$
    declare
      bits bigint := ('x' || encode(substring(bytes from start + 1 for 8), 'hex'))::bit(64)::bigint;
      exponent integer := (bits >> 52) & 2047;
      part float8 := (bits & 4503599627370495)::float8 / 4503599627370496::float8;
    begin
      return (case when bits < 0 then -1 else 1 end)::float8
        * case when exponent = 0 then part * 2::float8 ^ -1022 else (1 + part) * 2::float8 ^ (exponent - 1023) end;
    end $$`,
  `create function float4_of(bits bigint) returns real language sql immutable strict parallel safe as $$
    select ((case when bits >> 31 = 1 then -1 else 1 end)::float8
      * case when (bits >> 23) & 255 = 0 then (bits & 8388607)::float8 / 8388608::float8 * 2::float8 ^ -126
        else (1 + (bits & 8388607)::float8 / 8388608::float8) * 2::float8 ^ (((bits >> 23) & 255) - 127) end)::real
  $$`,
  // Seven bits a byte, the lowest first, the last of a number below 128.
  `create function packed_numbers(bytes bytea, start integer, behind integer) returns bigint[] language plpgsql
    immutable strict parallel safe as $$
    declare
      codes bigint[];
      code bigint := 0;
      shift integer := 0;
      count integer := 0;
      byte integer;
    begin
      for place in start .. behind - 1 loop
        byte := get_byte(bytes, place);
        if byte < 128 then
          count := count + 1;
          codes[count] := code | (byte::bigint << shift);
          code := 0;
          shift := 0;
        else
          code := code | ((byte - 128)::bigint << shift);
          shift := shift + 7;
        end if;
      end loop;
      return codes;
    end $$`,
  `create function score_heads(heads bytea) returns table (
      kind_no integer, delay_ms float8, multiple integer, divisor integer, sums real[], start integer, size integer
    ) language plpgsql immutable strict parallel safe rows 2 cost 500 as $$
    declare
      codes bigint[] := packed_numbers(heads, 0, length(heads));
      unit float8;
    begin
      start := 0;
      for i in 0 .. cardinality(codes) / 12 - 1 loop
        kind_no := codes[12 * i + 1];
        delay_ms := ${unfold("codes[12 * i + 2]")};
        multiple := nullif(codes[12 * i + 3], 0);
        divisor := nullif(codes[12 * i + 4], 0);
        unit := multiple::float8 / divisor;
        if multiple is null then
          sums := array[codes[12 * i + 5], codes[12 * i + 6], float4_of(codes[12 * i + 7]), float4_of(codes[12 * i + 8]),
            codes[12 * i + 9], float4_of(codes[12 * i + 10]), float4_of(codes[12 * i + 11])];
        else
          sums := array[codes[12 * i + 5], codes[12 * i + 6], codes[12 * i + 7] * unit, codes[12 * i + 8] * unit,
            codes[12 * i + 9], codes[12 * i + 10] * unit, codes[12 * i + 11] * unit];
        end if;
        if codes[12 * i + 9] = codes[12 * i + 5] then sums[7] := sums[3]; end if;
        size := codes[12 * i + 12];
        return next;
        start := start + size;
      end loop;
    end $$`,
  `create function score_lists(lists bytea, start integer, size integer, multiple integer, divisor integer, n integer,
      out actual float8, out leads integer[], out error real[], out pinball real[], out is_covered boolean[],
      out own_pinball real[], out own_is_covered boolean[], out persistence_error real[], out seasonal_naive_error real[]
    ) language plpgsql immutable parallel safe cost 5000 as $$
    declare
      codes bigint[] := packed_numbers(lists, start + 8, start + size);
      at integer := 2 + 3 * codes[1];
      own integer := codes[at];
      naive integer;
      step float8 := multiple::float8 / divisor;
      nearest float8;
      middles bigint[];
      sum bigint := 0;
      code bigint;
      flag integer;
    begin
      actual := float8_in(lists, start);
      if codes[1] > 0 then
        leads := array(select (codes[3 * run - 1] + i * codes[3 * run + 1])::integer
          from generate_series(1, codes[1]::integer) as run, generate_series(0, codes[3 * run]::integer - 1) as i
          order by 1);
      end if;
      flag := at + 1;
      is_covered := ${flags("flag")};
      at := flag + (n + 6) / 7;
      if own = 1 then
        own_is_covered := ${flags("at")};
        at := at + (n + 6) / 7;
      else
        own_is_covered := is_covered;
      end if;
      if multiple is null then
        error := ${floats("at")};
        pinball := ${floats("at + n")};
        persistence_error := ${floats("at + 2 * n")};
        seasonal_naive_error := ${floats("at + 3 * n")};
        own_pinball := case own when 1 then ${floats("at + 4 * n")} else pinball end;
        return;
      end if;
      nearest := floor(actual * divisor / multiple + 0.5::float8);
      for h in 1 .. n loop
        code := codes[at + h - 1];
        sum := sum + ${unfold("code")};
        middles[h] := sum;
        error[h] := actual - (nearest + sum) * multiple / divisor;
      end loop;
      at := at + n;
      sum := 0;
      for h in 1 .. n loop
        code := codes[at + h - 1];
        sum := sum + ${unfold("code")};
        pinball[h] := (case when is_covered[h] then 0.5::float8 else 1.5::float8 end
          * abs(actual - (nearest + middles[h]) * multiple / divisor) + 0.1::float8 * sum * step) / 3;
      end loop;
      at := at + n;
      sum := 0;
      persistence_error := array_fill(null::real, array[n]);
      for h in 1 .. n loop
        code := codes[at + h - 1];
        continue when code = 0;
        sum := sum + ${unfold("(code - 1)")};
        persistence_error[h] := actual - (nearest + 4 * sum) * multiple / divisor;
      end loop;
      at := at + n;
      naive := codes[at];
      at := at + 1;
      seasonal_naive_error := array_fill(null::real, array[n]);
      if naive = 1 then
        seasonal_naive_error := array_fill((actual - (nearest + ${unfold("codes[at]")}) * multiple / divisor)::real, array[n]);
        at := at + 1;
      elsif naive = 2 then
        sum := 0;
        for h in 1 .. n loop
          code := codes[at + h - 1];
          continue when code = 0;
          sum := sum + ${unfold("(code - 1)")};
          seasonal_naive_error[h] := actual - (nearest + sum) * multiple / divisor;
        end loop;
        at := at + n;
      end if;
      if own = 1 then
        own_pinball := array(
          select (case when u.part > 0 then step * (2::float8 ^ ((u.part - 1) / 16::float8) - 1) end)::real
          from unnest(codes[at : at + n - 1]) with ordinality as u (part, place) order by u.place);
      elsif own = 2 then
        own_pinball := array(select (u.loss::float8 * 2::float8 ^ (${unfold("codes[at]")} / 64::float8))::real
          from unnest(pinball) with ordinality as u (loss, place) order by u.place);
      else
        own_pinball := pinball;
      end if;
    end $$`,
  `create or replace view scores as
    select ${keyed}, l.actual, ${delayed}, l.leads, l.error, l.pinball, l.is_covered, l.own_pinball, l.own_is_covered,
      l.persistence_error, l.seasonal_naive_error, h.sums, h.multiple, h.divisor
    from ${opened}
    cross join lateral score_lists(s.lists, h.start, h.size, h.multiple, h.divisor, h.sums[1]::integer) as l
    union all
    select ${keyed}, s.actual, s.scored_at, lead_list(s.leads) as leads,
      score_errors(0, actual, multiple, divisor, steps, exact) as error,
      score_losses(actual, multiple, divisor, steps, exact, covered) as pinball, score_covered(covered, 0) as is_covered,
      score_own_losses(multiple, divisor, steps, exact) as own_pinball, score_covered(covered, 1) as own_is_covered,
      score_errors(3, actual, multiple, divisor, steps, exact) as persistence_error,
      score_seasonal(actual, multiple, divisor, steps, seasonal, exact) as seasonal_naive_error,
      s.sums, s.multiple, s.divisor
    from scored s ${named}
    union all
    select sensor_id, target, target_at, model_key, actual, scored_at, leads, error, pinball, is_covered, own_pinball,
      own_is_covered, persistence_error, seasonal_naive_error, sums::real[], null, null
    from score`,
  // Without the lists, which cost most: what asks for sums reads this.
  `create view score_total as
    select ${keyed}, ${delayed}, h.sums from ${opened}
    union all
    select ${keyed}, s.scored_at, s.sums from scored s ${named}
    union all
    select sensor_id, target, target_at, model_key, scored_at, sums::real[] from score`,
  // The tables of before get no days any more.
  `create or replace function ensure_day(day date) returns void language plpgsql security definer
    set search_path from current as $$
    declare
      parent text;
    begin
      for parent in select c.relname from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
        where c.relnamespace = current_schema()::regnamespace and c.relname not in ('score', 'scored') order by 1 loop
        perform ensure_day_of(parent, day);
      end loop;
    end $$`,
];
