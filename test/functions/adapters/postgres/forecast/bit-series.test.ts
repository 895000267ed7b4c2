import fc from "fast-check";
import { expect, test } from "vitest";
import { openSeries, packSeries, takeNumber } from "../../../../../functions/adapters/postgres/forecast/bit-series.ts";

const step = fc.oneof(
  fc.integer({ min: -32_767, max: 32_767 }),
  fc.integer({ min: -40, max: 40 }),
  fc.constantFrom(-32_767, -1, 0, 1, 32_767),
);
const series = fc.array(step, { minLength: 1, maxLength: 60 });

function open(bytes: Buffer, lengths: number[]): number[][] {
  const take = openSeries(bytes);
  return lengths.map((length) => {
    const out = new Int32Array(length);
    take(length, out, { offset: 0, stride: 1 });
    return [...out];
  });
}

test("gives back the numbers of every series", () => {
  fc.assert(
    fc.property(fc.array(series, { maxLength: 12 }), fc.integer({ min: 0, max: 255 }), (given, head) => {
      const packed = packSeries(head, given)!;
      expect(packed[0]).toBe(head);
      expect(
        open(
          packed,
          given.map(({ length }) => length),
        ),
      ).toEqual(given);
    }),
  );
});

test("gives a part of a series, and stands behind all of it then", () => {
  fc.assert(
    fc.property(series, series, fc.nat(59), fc.nat(59), (one, next, a, b) => {
      const [from, to] = [Math.min(a, b, one.length), Math.min(Math.max(a, b), one.length)];
      const take = openSeries(packSeries(0, [one, next])!);
      const out = new Int32Array(3 * one.length).fill(7);
      take(one.length, out, { offset: 1, stride: 2 }, { from, to });
      const expected = new Array<number>(3 * one.length).fill(7);
      one.slice(from, to).forEach((value, i) => {
        expected[1 + 2 * i] = value;
      });
      expect([...out]).toEqual(expected);
      const rest = new Int32Array(next.length);
      take(next.length, rest, { offset: 0, stride: 1 });
      expect([...rest]).toEqual(next);
    }),
  );
});

test("gives one number of each series, wherever it stands", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(series, fc.nat(59)), { maxLength: 12 }), (given) => {
      const from = {
        bytes: packSeries(
          0,
          given.map(([one]) => one),
        )!,
        at: 8,
      };
      const taken = given.map(([one, place]) => takeNumber(from, one.length, place % one.length));
      expect(taken).toEqual(given.map(([one, place]) => one[place % one.length]));
    }),
  );
});

test("takes ten bits and the first number for a series that does not change", () => {
  expect(packSeries(1, [new Array(24).fill(0)])!.length).toBe(3);
  expect(packSeries(1, [new Array(24).fill(1000)])!.length).toBe(1 + Math.ceil((10 + 11) / 8));
});

test("takes 18 bits at most", () => {
  expect(open(packSeries(0, [[-131_072, -1, -131_072, 131_071 - 131_072]])!, [4])).toEqual([
    [-131_072, -1, -131_072, -1],
  ]);
  for (const far of [[131_072], [0, 131_072], [-131_073], [2 ** 40], [65_536, -65_537]])
    expect(packSeries(0, [far])).toBeNull();
});
