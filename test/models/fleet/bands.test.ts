import { describe, expect, test } from "vitest";
import { linearOf, ridgeChanges } from "../../../core/model/fleet/encode.ts";
import { standardisedLinear } from "../../../core/model/fleet/ridge.ts";
import { prepare, withDayMeans } from "../../../core/model/history.ts";
import { everyLead } from "../../../core/model/leads.ts";
import { widenBands } from "../../../models/fleet/fit.ts";
import { fitPart } from "../../../models/fleet/part.ts";
import { parameterLayout } from "../../../models/layout.ts";
import { encoding, someGrid } from "../../core/model/fleet/builders.ts";
import { buildShape, buildWeights } from "../engine/builders.ts";

/** What ridge leaves of the days after the first `known` hours over what its part expects: RMS of leads, targets. */
function leftOverExpected(known: number, seed: number): number {
  const hours = known + 24 * 40;
  const history = withDayMeans(prepare(someGrid(hours, seed), encoding.features.links));
  const { part } = fitPart(encoding, "attic", history, Math.floor((7 * known) / 8), known)!;
  const targets = encoding.targets.length;
  const features = new Float32Array(targets * linearOf(encoding));
  let [squares, count] = [0, 0];
  for (let origin = known; origin < hours - 24; origin += 5) {
    standardisedLinear(history, origin, encoding, part, features);
    const told = ridgeChanges(encoding, part, features, 0);
    told.forEach((change, i) => {
      const [k, h] = [Math.floor(i / encoding.leads.length), i % encoding.leads.length];
      const came = history.values[k]![origin + encoding.leads[h]!]! - history.values[k]![origin]!;
      squares += ((came - change) / part.residualScale[h * targets + k]!) ** 2;
      count++;
    });
  }
  return Math.sqrt(squares / count);
}

describe("how much a sensor is expected to be off by", () => {
  test("is what ridge leaves of days that it has not seen, however few it has", () => {
    for (const seed of [1, 2, 3]) {
      expect(leftOverExpected(24 * 14, seed)).toBeLessThan(1.08);
      expect(leftOverExpected(24 * 80, seed)).toBeCloseTo(1, 1);
    }
  });
});

describe("a network's bands", () => {
  const shape = buildShape({});
  const before = buildWeights(shape, 4);
  const gaps = shape.quantiles.length - 1;
  const widthOf = (h: number, k: number, gap: number) => 0.3 * h - 0.5 * k + 0.2 * gap;
  const widths = Float32Array.from({ length: shape.horizon * shape.targets * gaps }, (_, at) =>
    widthOf(Math.floor(at / gaps / shape.targets), Math.floor(at / gaps) % shape.targets, at % gaps),
  );
  const traineeOf = (steps: number) => ({ origins: Int32Array.of(10, 9 + steps), part: { widths } });
  const hourly = { leads: everyLead(shape.horizon), stepSeconds: 3600 };
  const softplus = (x: number) => Math.log1p(Math.exp(x));

  test("are wider the fewer runs as long as their lead taught them, and nothing else changes", () => {
    // Rows that span 240 steps in the mean.
    const after = widenBands(shape, before.slice(), { encoding: hourly, trainees: [traineeOf(120), traineeOf(360)] });
    const bias = parameterLayout(shape).find(({ name }) => name === "branch.out.bias")!;
    const added = after.map((value, i) => value - before[i]!);
    for (let gap = 0; gap < gaps; gap++) {
      for (let k = 0; k < shape.targets; k++) {
        for (let h = 0; h < shape.horizon; h++) {
          const at = bias.offset + ((1 + gap) * shape.targets + k) * shape.horizon + h;
          const width = widthOf(h, k, gap);
          const wider = softplus(width + added[at]!) / softplus(width);
          expect(wider).toBeCloseTo(Math.sqrt(1 + (60 * (h + 1)) / 240), 4);
          added[at] = 0;
        }
      }
    }
    expect(added.every((value) => value === 0)).toBe(true);
  });

  test("of long steps are no wider than runs of three days make them", () => {
    const trainees = [traineeOf(240)];
    const widest = (stepSeconds: number) => {
      const after = widenBands(shape, before.slice(), { encoding: { ...hourly, stepSeconds }, trainees });
      return after.map((value, i) => value - before[i]!).toSorted();
    };
    expect(widest(86_400 * 3)).toEqual(widest(86_400 * 30));
    expect(widest(86_400)).not.toEqual(widest(86_400 * 3));
    expect(widest(3600)).toEqual(widest(600));
  });

  test("stay as they are with years", () => {
    const after = widenBands(shape, before.slice(), { encoding: hourly, trainees: [traineeOf(1e6)] });
    after.forEach((value, i) => {
      expect(value).toBeCloseTo(before[i]!, 3);
    });
  });
});
