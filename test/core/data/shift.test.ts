import { expect, it } from "vitest";
import { shiftText, switchOf } from "../../../core/data/shift.ts";

const celsius = { unit: "°C" };
const at = Date.UTC(2026, 2, 1);

it.each<[string, number, number, string, string | null]>([
  ["°C to °F", 21.3, 70.5, "°C", "now in °F"],
  ["°F to °C", 70.5, 21.3, "°F", "now in °C"],
  ["°C to K", 21.3, 294.6, "°C", "now in K"],
  ["whole to tenths", 21.3, 214, "°C", "now 10 times as much"],
  ["Pa to hPa", 101_300, 1013.2, "Pa", "now a 100th"],
  ["a level", 21.3, 26.3, "°C", null],
  ["°F of a humidity", 40, 104, "%", null],
])("knows %s from the readings before and after", (_, from, to, unit, name) => {
  expect(switchOf({ at, from, to }, { unit })).toBe(name);
});

it("is told in a sentence", () => {
  expect(shiftText({ at, from: 20, to: 25.123456 }, celsius)).toBe(
    "shifted from 20 to 25.123 °C at 2026-03-01T00:00:00.000Z",
  );
});
