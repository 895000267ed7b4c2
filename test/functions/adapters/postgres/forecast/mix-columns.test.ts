import { expect, test } from "vitest";
import { toMix, toMixColumns } from "../../../../../functions/adapters/postgres/forecast/mix-columns.ts";
import { someMix } from "../builders.ts";

test("a mix of before challengers took part is read with the experts that it had", () => {
  const old = { ...someMix, experts: someMix.experts.slice(0, 4), weights: someMix.weights.slice(0, 4) };
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
  expect(toMix(toMixColumns(someMix))).toEqual(someMix);
  expect(toMix(toMixColumns(null))).toBeNull();
});
