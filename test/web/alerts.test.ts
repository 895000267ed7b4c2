import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildDashboard, findChromium, launch, openPage, screenshot, type View, violations } from "./browser.ts";
import { type Mock, startMock } from "./mock.ts";

const executable = findChromium();
const desk = { size: "desk", theme: "light" } as const;

describe.skipIf(executable === null)("the alerts page in a browser", () => {
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

  async function visit(view: View) {
    const mock = await startMock({}, bundle.dist);
    const { page, complaints } = await openPage(browser, view);
    open.push({ page, mock });
    await page.goto(`${mock.url}/alerts`);
    return { page, complaints, mock };
  }

  test.each([desk, { size: "phone", theme: "dark" }] as const)(
    "says what fires and how each rule stands, $size $theme, without an axe violation",
    async (view) => {
      const { page, complaints } = await visit(view);
      await page.getByText("temperature above 26 °C from about 19:10 UTC, 35 %").first().waitFor();
      await page.getByText("cannot see: the source is stale").waitFor();
      await page.getByText("1 firing, 1 blind, 7 ok").waitFor();
      await screenshot(page, `alerts-${view.size}-${view.theme}`);
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
      expect(await page.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth")).toBe(false);
    },
  );

  test("acknowledges, and rehearses a rule, by keyboard alone", async () => {
    const { page, complaints, mock } = await visit(desk);
    await page.getByLabel("Note on A room gets too warm, room3").focus();
    await page.keyboard.type("window opened");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("by anonymous: window opened").waitFor();
    await page.getByLabel("Name", { exact: true }).focus();
    await page.keyboard.type("too warm");
    await page.getByLabel("Limit", { exact: true }).focus();
    await page.keyboard.type("26");
    await page.keyboard.press("Enter");
    await page.getByText("it would have fired 5 times: 4 true, 1 h 30 min before in the median").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Take 65 %" }).click();
    expect(await page.getByLabel("Chance, %").inputValue()).toBe("65");
    expect(mock.requests).toContain("/v1/alert-rules:rehearse");
    expect(complaints).toEqual([]);
  });
});
