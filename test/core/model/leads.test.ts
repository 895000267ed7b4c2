import { describe, expect, it, test } from "vitest";
import {
  defaultLeads,
  everyLead,
  leadGroups,
  leadsOf,
  leadsText,
  nearReach,
  placesOf,
  splitLeads,
} from "../../../core/model/leads.ts";

describe("the leads that people need", () => {
  it("are each step to 24 and then hourly to a day", () => {
    expect(leadsText(defaultLeads(600))).toBe("1-24,30-144/6");
    expect(leadsText(defaultLeads(900))).toBe("1-24,28-96/4");
    expect(leadsText(defaultLeads(60))).toBe("1-24,60-1440/60");
  });

  it("end after 24 steps where these are a day or more", () => {
    expect(defaultLeads(3600)).toEqual(everyLead(24));
    expect(defaultLeads(86_400)).toEqual(everyLead(24));
  });

  it.each([1, 7, 420, 1000, 2400, 2700])("are few, ascending and within a day at steps of %d s", (stepSeconds) => {
    const leads = defaultLeads(stepSeconds);
    expect(leads.length).toBeLessThan(100);
    expect(leads.every((lead, i) => lead > (leads[i - 1] ?? 0))).toBe(true);
    expect(leads.at(-1)! * stepSeconds).toBeGreaterThan(82_800);
    expect(leads.at(-1)! * stepSeconds).toBeLessThanOrEqual(86_400);
  });
});

test("near leads follow each other closely, whatever the first one is", () => {
  expect(nearReach(defaultLeads(600))).toBe(24);
  expect(nearReach([1, 2, 3, 6, 9])).toBe(3);
  expect(splitLeads([6, 12, 18, 36])).toEqual({ near: [6, 12, 18], far: [36] });
  expect(nearReach([5])).toBe(5);
});

test("a manifest without a list means each step of its horizon", () => {
  expect(leadsOf({ horizon: 3 })).toEqual([1, 2, 3]);
  expect(leadsOf({ horizon: 3, leads: [1, 2, 9] })).toEqual([1, 2, 9]);
});

test("text of leads is short and tells each of them", () => {
  expect([[3], [1, 2, 3], [1, 2, 4, 6, 8], [1, 5], [2, 4, 5]].map(leadsText)).toEqual([
    "3",
    "1-3",
    "1-2,4-8/2",
    "1-5/4",
    "2-4/2,5",
  ]);
});

test("groups hold each lead once", () => {
  expect(leadGroups(defaultLeads(600)).flat()).toEqual(defaultLeads(600));
  expect(leadGroups(everyLead(24)).map((group) => [group[0], group.at(-1)])).toEqual([
    [1, 1],
    [2, 6],
    [7, 12],
    [13, 24],
  ]);
  expect(leadGroups([1])).toEqual([[1]]);
});

test("places tell where leads stand, and that one is missing", () => {
  expect(placesOf([1, 2, 6], [6, 3])).toEqual([2, -1]);
});
