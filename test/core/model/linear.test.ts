import { describe, expect, test } from "vitest";
import { prepare, withDayMeans } from "../../../core/model/history.ts";
import { linearColumns, writeColumn, writeLinear } from "../../../core/model/linear.ts";
import { linearCount } from "../../../core/model/spec.ts";
import { encoding, fitted, someGrid } from "./fleet/builders.ts";

const { fit } = fitted(someGrid(24 * 40));
const { features } = encoding;
const series = { features, scaler: fit.part.scaler };
const length = 24 * 12;
const gappy = someGrid(length, 5);
for (const column of gappy.columns) column.fill(Number.NaN, 0, 30);

describe("linear features of many points", () => {
  test.each([
    ["as they are asked for", prepare(gappy, features.links)],
    ["worked out before", withDayMeans(prepare(gappy, features.links))],
    ["of a stretch alone", withDayMeans(prepare(gappy, features.links), 20, length)],
  ])("are those of each point, with means %s", (_, history) => {
    const plain = prepare(gappy, features.links);
    const [from, to] = [20, length];
    for (const target of [0, 1]) {
      const terms = linearColumns(history, series, target);
      expect(terms).toHaveLength(linearCount(features, 2));
      const columns = terms.map((term) => {
        const column = new Float32Array(to - from);
        writeColumn(history, { from, to }, series, term, column);
        return column;
      });
      for (let point = from; point < to; point++) {
        const row = new Float32Array(terms.length);
        expect(writeLinear(plain, point, series, target, row, 0)).toBe(terms.length);
        expect(columns.map((column) => column[point - from]!)).toEqual([...row]);
      }
    }
  });

  test("are missing where the history does not reach", () => {
    const history = withDayMeans(prepare(gappy, features.links));
    const [lag] = linearColumns(history, series, 0);
    const column = new Float32Array(3);
    writeColumn(history, { from: -1, to: 2 }, series, lag!, column);
    expect([...column]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});
