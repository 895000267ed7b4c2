import { expect, test } from "vitest";
import { copyHistory, prepare, prepareBriefly } from "../../../core/model/history.ts";
import { randomOf } from "../../builders.ts";
import { encoding, someGrid } from "./fleet/builders.ts";

const { links } = encoding.features;

/** A grid with holes of its own, the first points among them. */
function gappyGrid(length: number, seed: number) {
  const random = randomOf(seed);
  const grid = someGrid(length, seed);
  for (const column of grid.columns) for (const i of column.keys()) if (i < 3 || random() < 0.2) column[i] = Number.NaN;
  return grid;
}

test("a history that is looked at at once is the one that is kept, whatever was prepared before", () => {
  for (const [seed, length] of [300, 120, 300, 1, 450, 120].entries()) {
    const grid = gappyGrid(length, seed);
    expect(prepareBriefly(grid, links)).toEqual(prepare(grid, links));
  }
});

test("a copy of it stays as it is, and takes the room of an older one of its length", () => {
  const first = copyHistory(prepareBriefly(gappyGrid(300, 1), links), null);
  expect(first).toEqual(prepare(gappyGrid(300, 1), links));
  const next = prepareBriefly(gappyGrid(300, 2), links);
  expect(first).toEqual(prepare(gappyGrid(300, 1), links));
  const second = copyHistory(next, first);
  expect(second).toEqual(prepare(gappyGrid(300, 2), links));
  expect(second.values[0]).toBe(first.values[0]);
  expect(copyHistory(prepareBriefly(gappyGrid(200, 3), links), second)).toEqual(prepare(gappyGrid(200, 3), links));
});
