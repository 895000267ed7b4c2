import { expect, test } from "vitest";
import { leanOf } from "../../../../../core/mix/middle.ts";
import type { Mix } from "../../../../../core/mix/mix.ts";
import { toMix, toMixColumns } from "../../../../../functions/adapters/postgres/forecast/mix-columns.ts";
import { someMix } from "../builders.ts";

/** These columns are of releases in which the middle followed the widths. */
const leaning = (mix: Mix): Mix => ({
  ...mix,
  middle: mix.widths[0]!.map((one, h) => leanOf(one, mix.widths[1]![h]!)),
});

test("a mix of before challengers took part is read with the experts that it had", () => {
  const old = { ...leaning(someMix), experts: someMix.experts.slice(0, 4), weights: someMix.weights.slice(0, 4) };
  const row = { ...toMixColumns({ ...old, challengerId: null }), mix_challenger_id: null };
  expect(row.mix_weights).toHaveLength(12);
  expect(toMix(row)).toEqual({
    ...old,
    experts: [...old.experts, null],
    weights: [...old.weights, [0, 0, 0]],
    challengerId: null,
  });
});

test("a mix with a challenger comes back whole", () => {
  expect(toMix(toMixColumns(someMix))).toEqual(leaning(someMix));
  expect(toMix(toMixColumns(null))).toBeNull();
});
