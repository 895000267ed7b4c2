import { expect, it } from "vitest";
import { chartToCsv, csvName } from "../../web/sensor/csv.ts";

const at = (minutes: number) => Date.parse("2026-03-01T12:00:00Z") + minutes * 60_000;
const data = {
  at: [at(0), at(10), at(20), at(30)],
  observed: [20, null, null, null],
  standing: [null, null, null, null],
  q10: [20, 19, 18, 17],
  q50: [20, 20.5, 21, 21.5],
  q90: [20, 22, 24, 26],
  overlay: [19.5, null, null, null],
  heldBack: [],
  origin: at(0),
};

it("has what the chart shows of its time, the forecast from after its origin on, and nothing where nothing is", () => {
  expect(chartToCsv(data, { from: at(0), to: at(20) })).toBe(
    [
      "at,observed,q10,q50,q90,earlier",
      "2026-03-01T12:00:00.000Z,20,,,,19.5",
      "2026-03-01T12:10:00.000Z,,19,20.5,22,",
      "2026-03-01T12:20:00.000Z,,18,21,24,",
      "",
    ].join("\r\n"),
  );
});

it("names the file by what every file system takes", () => {
  expect(csvName("../étage 1/küche", "co2")).toBe("-étage-1-küche-co2.csv");
});
