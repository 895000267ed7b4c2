import fc from "fast-check";
import { expect, test } from "vitest";
import { fromLink, linkOf, steepness, toLink } from "../../../core/model/link.ts";
import { humidity, temperature } from "../../builders.ts";

test("percentages from 0 to 100 have their log odds as scale, everything else its own", () => {
  expect(linkOf(humidity)).toBe("logit");
  expect(linkOf({ ...humidity, unit: "%RH" })).toBe("logit");
  expect(linkOf({ ...humidity, max: 60 })).toBe("identity");
  expect(linkOf(temperature)).toBe("identity");
  expect(linkOf({ name: "valve", unit: "", min: 0, max: 100 })).toBe("identity");
});

test("a value comes back", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 100, noNaN: true }), (value) => {
      expect(fromLink("logit", toLink("logit", value))).toBeCloseTo(value, 9);
      expect(fromLink("identity", toLink("identity", value))).toBe(value);
    }),
  );
  expect(toLink("logit", Number.NaN)).toBeNaN();
});

test("absurd log odds are no percentage, so that the guard sees them", () => {
  for (const value of [21, -21, 1e6, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    expect(fromLink("logit", value)).toBeNaN();
  }
});

test("no change on the scale of log odds leaves 0 to 100 by more than 5 or moves further than its steepness", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -10, max: 10, noNaN: true }),
      fc.double({ min: -10, max: 10, noNaN: true }),
      (at, change) => {
        const [before, after] = [fromLink("logit", at), fromLink("logit", at + change)];
        expect(after).toBeGreaterThanOrEqual(-5);
        expect(after).toBeLessThanOrEqual(105);
        expect(Math.abs(after - before)).toBeLessThanOrEqual(steepness("logit") * Math.abs(change) + 1e-9);
      },
    ),
  );
});
