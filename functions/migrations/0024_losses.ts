import { type Kysely, sql } from "kysely";

/** The oldest migration whose code runs on this: the same function, faster. */
export const worksWith = "0023_scored";

/** Losses of the view `scores` in doubles: constants with a point are numerics, which cost several times as much. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(losses).execute(db);
}

const nearest = "floor(actual * divisor / multiple + 0.5::float8)";

const losses = `create or replace function score_losses(actual float8, multiple integer, divisor integer, steps int2[],
    exact real[], covered varbit) returns real[] language sql immutable parallel safe as $$
    select case when steps is null then exact[cardinality(exact) / 5 + 1 : 2 * cardinality(exact) / 5] else array(
      select ((case get_bit(covered, n::integer - 1) when 1 then 0.5::float8 else 1.5::float8 end
          * abs(actual - (${nearest} + step) * multiple / divisor)
        + 0.1::float8 * band * multiple / divisor) / 3)::real
      from unnest(steps[1 : cardinality(steps) / 4], steps[cardinality(steps) / 4 + 1 : cardinality(steps) / 2])
        with ordinality as u (step, band, n) order by n) end
  $$`;
