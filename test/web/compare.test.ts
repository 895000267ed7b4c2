import { describe, expect, it, test } from "vitest";
import type { Sensor } from "../../web/client/client.ts";
import { compareToCsv } from "../../web/compare/csv.ts";
import { chosenIn, compare, compareHref } from "../../web/compare/lines.ts";
import { findChromium, screenshot, violations } from "./browser.ts";
import { dashboardVisits } from "./visits.ts";

const at = (minutes: number) => new Date(Date.parse("2026-03-01T12:00:00Z") + minutes * 60_000).toISOString();

/** Only what is compared of a sensor: readings up to `origin`, medians of `leads` minutes later. */
function sensorOf(
  sensorId: string,
  origin: number,
  leads: number[],
  value: number,
  name: string | null = null,
): Sensor {
  const target = {
    ...{ target: "temperature", unit: "°C", history: { at: [at(origin - 10), at(origin)], value: [null, value] } },
    forecast: { targetAt: leads.map((lead) => at(origin + lead)), q50: leads.map((lead) => value + lead) },
  };
  return { sensorId, profile: { name }, targets: [target] } as unknown as Sensor;
}

describe("sensors on one axis", () => {
  it("keep their gaps, and have a median between their leads where another one has a moment", () => {
    const sensors = [sensorOf("a", 0, [60, 120], 20, "Attic"), sensorOf("b", -30, [60, 120], 30)];
    const { at: axis, lines, nowIndex, unit } = compare(sensors, "temperature");
    const minutes = axis.map((one) => (one - Date.parse(at(0))) / 60_000);
    expect(minutes).toEqual([-40, -30, -10, 0, 30, 60, 90, 120]);
    expect(lines.map(({ name }) => name)).toEqual(["Attic", "b"]);
    expect(lines[0]!.values).toEqual([null, null, null, 20, null, 80, 110, 140]);
    expect(lines[1]!.values).toEqual([null, 30, null, null, 90, 120, 150, null]);
    expect([nowIndex, unit]).toEqual([3, "°C"]);
  });

  it("are exported with what was read and said of each, and nothing drawn between", () => {
    const sensors = [sensorOf('a,"1"', 0, [60], 20, "Attic"), sensorOf("b", -30, [60, 120], 30)];
    expect(compareToCsv(sensors, "temperature")).toBe(
      [
        'at,"a,""1"" observed","a,""1"" q50",b observed,b q50',
        `${at(-30)},,,30,`,
        `${at(0)},20,,,`,
        `${at(30)},,,,90`,
        `${at(60)},,80,,`,
        `${at(90)},,,,150`,
        "",
      ].join("\r\n"),
    );
    expect(compareToCsv(sensors, "co2").split("\r\n")).toHaveLength(2);
    expect(compareToCsv([sensorOf("=1+1", 0, [60], 20)], "temperature").split("\r\n")[0]).toBe(
      "at,'=1+1 observed,'=1+1 q50",
    );
  });

  it("are named by the address, each once and five at most", () => {
    const query = new URLSearchParams("sensor=a&sensor=b&sensor=a&sensor=&sensor=c&sensor=d&sensor=e&sensor=f");
    expect(chosenIn(query)).toEqual(["a", "b", "c", "d", "e"]);
    expect(compareHref(["a&b", "ü"], "co2")).toBe("/compare?sensor=a%26b&sensor=%C3%BC&target=co2");
  });
});

const executable = findChromium();

describe.skipIf(executable === null)("the page that compares, in a browser", () => {
  const { visit } = dashboardVisits(executable);

  test.each([
    { size: "desk", theme: "light" },
    { size: "phone", theme: "dark" },
  ] as const)(
    "is filled by keyboard alone and kept by its address, $size $theme, without an axe violation",
    async (view) => {
      const { page, complaints } = await visit("/compare?sensor=room1&sensor=nobody", view);
      await page.getByText("There is no sensor “nobody”.").waitFor();
      await page.getByLabel("Sensor", { exact: true }).focus();
      await page.keyboard.type("room2");
      await page.keyboard.press("Enter");
      await page.waitForURL(/sensor=room1&sensor=nobody&sensor=room2/);
      await page.getByRole("button", { name: "Leave nobody out" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("img", { name: /^Temperature\. Now: room1 .* °C, .* °C\.$/ }).waitFor();
      expect(await page.getByText("There is no sensor").count()).toBe(0);
      const downloaded = page.waitForEvent("download");
      await page.getByRole("button", { name: "Temperature as CSV" }).focus();
      await page.keyboard.press("Enter");
      expect((await downloaded).suggestedFilename()).toBe("compare-temperature.csv");
      await screenshot(page, `compare-${view.size}-${view.theme}`);
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth")).toBe(false);
      await page.reload();
      await page.getByRole("img", { name: /^Temperature\. Now: room1/ }).waitFor();
      expect(new URL(page.url()).searchParams.getAll("sensor")).toEqual(["room1", "room2"]);
      expect(complaints.filter((text) => !text.includes("404"))).toEqual([]);
    },
  );
});
