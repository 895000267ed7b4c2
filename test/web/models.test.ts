import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildDashboard, findChromium, launch, openPage, screenshot, type View, violations } from "./browser.ts";
import { type Mock, startMock } from "./mock.ts";

const executable = findChromium();
const desk = { size: "desk", theme: "light" } as const;

describe.skipIf(executable === null)("a model's page in a browser", () => {
  let browser: Browser;
  let bundle: Awaited<ReturnType<typeof buildDashboard>>;
  const open: { page: Page; mock: Mock }[] = [];
  beforeAll(async () => {
    bundle = await buildDashboard();
    browser = await launch(executable ?? "");
  });
  afterEach(async () => {
    for (const { page, mock } of open.splice(0)) {
      await page.close();
      await mock.close();
    }
  });
  afterAll(async () => {
    await browser?.close();
    bundle?.remove();
  });

  async function visit(view: View, path: string) {
    const mock = await startMock({}, bundle.dist);
    const { page, complaints } = await openPage(browser, view);
    open.push({ page, mock });
    await page.goto(`${mock.url}${path}`);
    return { page, complaints, mock };
  }

  test.each([desk, { size: "phone", theme: "dark" }] as const)(
    "shows a challenger's trial and receipt, $size $theme, without an axe violation",
    async (view) => {
      const { page, complaints } = await visit(view, "/models/room1-2016w18");
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
    const { page, mock, complaints } = await visit(desk, "/models");
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
});
