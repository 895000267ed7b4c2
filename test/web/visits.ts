import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { buildDashboard, launch, openPage, type View } from "./browser.ts";
import { type Mock, startMock } from "./mock/server.ts";
import type { MockState } from "./mock/state.ts";

export const desk: View = { size: "desk", theme: "light" };

/**
 * Visits to the dashboard of this checkout over mocked answers. Call it within a `describe`: one browser and one bundle
 * serve all of its tests, pages and servers are closed after each.
 */
export function dashboardVisits(executable: string | null) {
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
  return {
    async visit(path: string, view: View = desk, state: Partial<MockState> = {}) {
      const mock = await startMock(state, bundle.dist);
      const { page, complaints } = await openPage(browser, view);
      open.push({ page, mock });
      await page.goto(mock.url + path);
      return { page, complaints, mock };
    },
  };
}
