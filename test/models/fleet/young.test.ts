import { describe, expect, test } from "vitest";
import { decodeTensors, encodeTensors } from "../../../core/model/fleet/tensor-file.ts";
import { prepare, withDayMeans } from "../../../core/model/history.ts";
import { fitPart } from "../../../models/fleet/part.ts";
import { fleetPrior } from "../../../models/fleet/prior.ts";
import { decodePrior, encodePrior } from "../../../models/fleet/prior-file.ts";
import { encoding, fitted, someGrid } from "../../core/model/fleet/builders.ts";

const donors = [1, 2, 3].map((seed) => fitted(someGrid(24 * 50, seed), `donor ${seed}`));
const asDonor = ({ fit }: (typeof donors)[number]) => ({ part: fit.part, totals: fit.totals, isLearnt: [true, true] });
const prior = fleetPrior(encoding, donors.map(asDonor))!;

/** The part of a sensor of which so many hours are known, with what the fleet tells of it. */
function young(hours: number, some = prior, factor = 1) {
  const grid = someGrid(24 * 50, 9);
  const columns = grid.columns.map((column) => column.slice(-hours).map((value) => factor * value));
  const history = withDayMeans(prepare({ ...grid, columns }, encoding.features.links));
  return fitPart(encoding, "new", history, hours, hours, some)!.part;
}

describe("what the fleet tells of a sensor", () => {
  test("is one donor's own sums per row where there is but one", () => {
    const [donor] = donors;
    const alone = fleetPrior(encoding, [asDonor(donor!)])!;
    const { gram, counts, product } = donor!.fit.totals[0]!;
    const width = donor!.fit.totals[0]!.size + 1;
    const rows = gram[width * width - 1]!;
    const change = donor!.fit.part.scaler.change[0]!;
    for (const at of [0, 5 * width + 3, width * width - 2]) {
      expect(alone.equations[0]!.gram[at]).toBeCloseTo(gram[at]! / rows, 9);
    }
    expect(alone.equations[0]!.product[7]).toBeCloseTo(product[7]! / counts[0]! / change, 9);
  });

  test("is read as it was written, and as it was written before: with whole matrices", () => {
    const bytes = encodePrior(prior);
    const read = decodePrior(bytes);
    for (const [k, { gram, product }] of prior.equations.entries()) {
      expect(read.equations[k]!.gram).toEqual(Float64Array.from(Float32Array.from(gram)));
      expect(read.equations[k]!.product).toEqual(Float64Array.from(Float32Array.from(product)));
    }
    const { metadata, tensors } = decodeTensors("a prior", bytes);
    const before = [...tensors].map(([name, { dims, values }]) => {
      const k = name.startsWith("triangle.") ? Number(name.slice("triangle.".length)) : null;
      const whole = k === null ? null : Float32Array.from(prior.equations[k]!.gram);
      const [stored, size] = whole ? [whole, [whole.length]] : [values, dims];
      return { name: name.replace("triangle", "gram"), type: "F32" as const, dims: size, values: stored };
    });
    expect(decodePrior(encodeTensors(before, metadata))).toEqual(read);
  });

  test("is nothing without a donor that has learnt all targets", () => {
    expect(fleetPrior(encoding, [])).toBeNull();
    expect(fleetPrior(encoding, [{ ...asDonor(donors[0]!), isLearnt: [true, false] }])).toBeNull();
  });

  test("gives a part from the first days on, whose bands are wider the less is known", () => {
    const [two, ten] = [young(48), young(240)];
    for (const part of [two, ten]) {
      const numbers = [...part.ridge, ...part.residualScale, ...part.widths, ...part.bands, ...part.constants];
      expect(numbers.every(Number.isFinite)).toBe(true);
    }
    const usual = prior.residualScale.map((scale, cell) => scale * two.scaler.change[cell % 2]!);
    const wider = Array.from(two.residualScale, (scale, cell) => scale / usual[cell]!);
    expect(Math.max(...wider)).toBeGreaterThan(1);
  });
});
