import { describe, expect, test } from "vitest";
import { findChromium, screenshot, violations } from "./browser.ts";
import { dashboardVisits, desk } from "./visits.ts";

const executable = findChromium();

describe.skipIf(executable === null)("a model's page in a browser", () => {
  const { visit } = dashboardVisits(executable);

  test.each([desk, { size: "phone", theme: "dark" }] as const)(
    "shows a challenger's trial and receipt, $size $theme, without an axe violation",
    async (view) => {
      const { page, complaints } = await visit("/models/room1-2016w18", view);
      await page.getByText("undecided, p = 0.0310, 420 moments").first().waitFor();
      await page.getByText("90 % of that of the champion").waitFor();
      await page.getByText("wasm-simd 1, seed 7").waitFor();
      await screenshot(page, `model-${view.size}-${view.theme}`);
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
      expect(await page.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth")).toBe(false);
    },
  );

  test("promotes it with a reason, by keyboard alone, and shows what serves now", async () => {
    const { page, mock, complaints } = await visit("/models");
    await page.getByRole("link", { name: "room2-2016w18" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Promote room2-2016w18" }).focus();
    await page.keyboard.press("Enter");
    expect(await violations(page)).toEqual([]);
    // Without a reason nothing is sent; Escape closes, and the focus is where it was.
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await page.keyboard.type("better at night");
    expect(mock.requests.filter((path) => path.endsWith(":promote"))).toEqual([]);
    await page.keyboard.press("Enter");
    await page.getByText("Champion").first().waitFor();
    await page.getByRole("button", { name: "Roll back room2-2016w18" }).waitFor();
    expect(mock.requests.filter((path) => path.endsWith(":promote"))).toEqual(["/v1/models/room2-2016w18:promote"]);
    expect(complaints).toEqual([]);
  });

  test("has the focus where the next key belongs, however fast that comes", async () => {
    const { page } = await visit("/models/room2-2016w18");
    await page.getByRole("button", { name: "Promote room2-2016w18" }).focus();
    // No paint lies between a key and the next: only what was queued runs.
    const focused = await page.evaluate<string[]>(`(async () => {
      const at = () => document.activeElement.tagName;
      const settle = async () => { for (let turn = 0; turn < 5; turn++) await null; };
      document.activeElement.click();
      await settle();
      const opened = at();
      document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
      await settle();
      return [opened, at()];
    })()`);
    expect(focused).toEqual(["INPUT", "BUTTON"]);
  });
});
