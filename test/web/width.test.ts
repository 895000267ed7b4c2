import { describe, expect, test } from "vitest";
import { hostileIds } from "../hostile-ids.ts";
import { findChromium } from "./browser.ts";
import { dashboardVisits } from "./visits.ts";

const executable = findChromium();
const phone = { size: "phone", theme: "light" } as const;

/** Every page, and what is there once it has loaded. */
const pages: [path: string, loaded: string][] = [
  ["/", "tr[data-row]"],
  ["/?status=ok&group=house%2Fground%20floor&search=room", "tr[data-row]"],
  ["/sensors/room1", "figure canvas"],
  ["/sensors/room1?view=table", "tbody th"],
  ["/models", "table tbody tr"],
  ["/models/room1-2016w17", "h1"],
  ["/operations", "h2"],
  ["/alerts", "h2"],
  ["/alerts/new", "form"],
  ["/alerts/rules/warm", "form"],
  ["/alerts/channels", "h1"],
  ["/sign-in", "h1"],
  ["/nowhere", "h1"],
];

describe.skipIf(executable === null)("on a phone, 390 px wide", () => {
  const { visit } = dashboardVisits(executable);
  const widthOf = "document.documentElement.scrollWidth";

  test.each(pages)("%s is no wider than the window", async (path, loaded) => {
    const { page } = await visit(path, phone);
    await page.locator(loaded).first().waitFor();
    expect(await page.evaluate<number>(widthOf)).toBeLessThanOrEqual(390);
  });

  test("names of any length and kind make no page wider", async () => {
    const { page, mock } = await visit("/?sort=sensor", phone, {
      sensors: 0,
      moreIds: [...hostileIds, "x".repeat(200)],
    });
    await page.locator("tr[data-row]").first().waitFor();
    expect(await page.evaluate<number>(widthOf)).toBeLessThanOrEqual(390);
    await page.goto(`${mock.url}/sensors/${"x".repeat(200)}`);
    await page.locator("h1").first().waitFor();
    expect(await page.evaluate<number>(widthOf)).toBeLessThanOrEqual(390);
  });
});

describe.skipIf(executable === null)("at any width", () => {
  const { visit } = dashboardVisits(executable);

  test.each(pages)("%s is no wider than the window", async (path, loaded) => {
    const { page } = await visit(path);
    await page.locator(loaded).first().waitFor();
    for (const width of [1440, 1360, 1300, 1200, 1100, 1000, 900, 800, 700, 600, 480, 360, 320]) {
      await page.setViewportSize({ width, height: 900 });
      const found = () => page.evaluate<number>("document.documentElement.scrollWidth");
      // Charts follow the window a frame later.
      await expect.poll(found, { message: `at ${width} px` }).toBeLessThanOrEqual(width);
    }
  });
});
