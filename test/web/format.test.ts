import { describe, expect, test } from "vitest";
import {
  decimalsFor,
  formatBytes,
  formatDuration,
  formatNumber,
  formatPercent,
  formatRange,
  formatSkill,
  formatTime,
  formatValue,
  titleOf,
} from "../../web/format.ts";

/** Thin spaces and the minus sign, as a person would type them. */
const plain = (text: string) => text.replaceAll("\u202f", " ").replaceAll("\u2212", "-");

describe("numbers", () => {
  test("keep a unit beside a value and show a dash for none", () => {
    expect(plain(formatValue(21.437, "°C"))).toBe("21.4 °C");
    expect(plain(formatValue(-3.04, "°C"))).toBe("-3.0 °C");
    expect(formatValue(null, "°C")).toBe("–");
    expect(formatValue(5, "")).toBe("5.0");
  });

  test("never show a negative zero", () => {
    expect(formatNumber(-0.04, 1)).toBe("0.0");
  });

  test("have fewer decimals the larger they are", () => {
    expect([0.02, 0.5, 21, 1013].map(decimalsFor)).toEqual([3, 2, 1, 0]);
  });

  test("name a range once by its unit", () => {
    expect(plain(formatRange(21, 22.25, "°C", 1))).toBe("21.0 to 22.3 °C");
  });

  test("sign a skill, but not zero", () => {
    expect([0.321, -0.04, 0.001, null].map((one) => plain(formatSkill(one)))).toEqual(["+32 %", "-4 %", "0 %", "–"]);
    expect(plain(formatPercent(0.7964, 1))).toBe("79.6 %");
  });

  test("count bytes in powers of a thousand", () => {
    expect([999, 84_300_000, 512_000_000_000].map((one) => plain(formatBytes(one)))).toEqual([
      "999 B",
      "84.3 MB",
      "512 GB",
    ]);
  });
});

describe("times", () => {
  test("durations use the two largest units that matter", () => {
    const seconds = [0, 59, 60, 3_600, 11_100, 86_400, 187_200];
    expect(seconds.map((one) => plain(formatDuration(one)))).toEqual([
      "0 s",
      "59 s",
      "1 min",
      "1 h",
      "3 h 05 min",
      "1 d",
      "2 d 4 h",
    ]);
  });

  test("never show a negative age when a reading is from the future", () => {
    expect(plain(formatDuration(-30))).toBe("0 s");
  });

  test("are in UTC when asked, whatever the machine's zone", () => {
    const at = Date.parse("2016-05-04T14:20:00Z");
    expect(formatTime(at, "utc", "clock")).toBe("14:20");
    expect(formatTime(at, "utc", "full")).toMatch(/^Wed,? 4 May 2016,? 14:20$/);
    expect(formatTime(Date.parse("2016-05-04T00:00:00Z"), "utc", "clock")).toBe("00:00");
  });
});

test("a target's name becomes a title", () => {
  expect(["temperature", "soil_moisture"].map(titleOf)).toEqual(["Temperature", "Soil moisture"]);
});
