import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leadsText as textOf } from "../../../core/model/leads.ts";
import { readConfig } from "../../../functions/config/environment.ts";
import { leadsText } from "../../../functions/config/leads.ts";

describe("LEADS", () => {
  it("is numbers and ranges", () => {
    expect(leadsText.parse("1-3, 6-12/3,20")).toEqual([1, 2, 3, 6, 9, 12, 20]);
  });

  it("is what the text of any leads says", () => {
    const leads = fc.uniqueArray(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(leads, (some) => {
        const ascending = some.toSorted((a, b) => a - b);
        expect(leadsText.parse(textOf(ascending))).toEqual(ascending);
      }),
    );
  });

  it.each(["", "0", "2,1", "1,1", "1-", "5-1", "1-10/2", "1-9/0", "a", "1.5", "-3", "1-3,3-5"])(
    "refuses %j and says what is wanted",
    (text) => {
      expect(leadsText.safeParse(text).error?.issues[0]?.message).toMatch(/ascending.*1-24,30-144\/6/);
    },
  );

  it("refuses more leads and further ones than can be served", () => {
    expect(leadsText.safeParse("1-900000").error?.issues[0]?.message).toMatch(/more than 1000/);
    expect(leadsText.safeParse("1,90000").error?.issues[0]?.message).toMatch(/lead 90000, 86400/);
  });
});

describe("the configuration's leads", () => {
  it("suit the step unless they are given", () => {
    expect(textOf(readConfig({}).leads)).toBe("1-24,30-144/6");
    expect(textOf(readConfig({ STEP_SECONDS: "900" }).leads)).toBe("1-24,28-96/4");
    expect(textOf(readConfig({ LEADS: "1-12,18" }).leads)).toBe("1-12,18");
  });

  it("are each step where only a horizon is given, as it was before", () => {
    expect(textOf(readConfig({ HORIZON: "36" }).leads)).toBe("1-36");
  });

  it("are not said twice", () => {
    expect(() => readConfig({ HORIZON: "36", LEADS: "1-12" })).toThrow(/HORIZON 36 means 1-36: leave one of them out/);
  });
});
