import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createSite, type HttpServer, listen } from "../../functions/machine/server.ts";
import { readingsOf, someSlot } from "../builders.ts";
import { forecastsOf, outcomeOf, startApi } from "../functions/api/harness.ts";
import { startTestPostgres, type TestPostgres } from "../postgres.ts";
import { buildDashboard, findChromium, launch, openPage, screenshot, violations } from "./browser.ts";

const executable = findChromium();
const desk = { size: "desk", theme: "light" } as const;
const key = "an-administrators-key-of-32-chars";

describe.skipIf(executable === null)("a chart that is shared, in a browser", () => {
  let browser: Browser;
  let bundle: Awaited<ReturnType<typeof buildDashboard>>;
  let postgres: TestPostgres;
  let api: Awaited<ReturnType<typeof startApi>>;
  let server: HttpServer;
  const open: Page[] = [];
  beforeAll(async () => {
    [bundle, postgres] = await Promise.all([buildDashboard(), startTestPostgres()]);
    browser = await launch(executable ?? "");
    const values = { temperature: Array.from({ length: 60 }, (_, i) => 20 + i / 60) };
    api = await startApi(postgres, {
      access: { mode: "private", bootstrapKey: key },
      readings: new Map([["a", readingsOf(values)]]),
    });
    await api.ledger.rememberSensors(["a"], someSlot);
    await api.ledger.record([outcomeOf()], forecastsOf());
    const rules = { host: "127.0.0.1", names: [] };
    server = await listen(createSite((request, env) => api.app.fetch(request, env), bundle.dist, rules).fetch, {
      ...{ host: "127.0.0.1", port: 0 },
    });
  });
  afterEach(async () => {
    for (const page of open.splice(0)) await page.close();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await api?.close();
    await postgres?.stop();
    bundle?.remove();
  });

  async function visit(path: string, view: Parameters<typeof openPage>[1] = desk) {
    const { page, complaints } = await openPage(browser, view);
    open.push(page);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`${server.url}${path}`);
    return { page, complaints, asked };
  }

  test("is linked to by keyboard alone, and seen by who has the link, without a sign-in and without navigation", async () => {
    const { page } = await visit("/sign-in");
    await page.getByLabel("API key").fill(key);
    await page.keyboard.press("Enter");
    await page.getByText("API_KEY").first().waitFor();
    await page.goto(`${server.url}/sensors/a`);
    await page.getByText("Share", { exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.locator(".share select").first().focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const link = await page.getByLabel(/^Link, good until/).inputValue();
    expect(link).toMatch(/\/embed#ilps_/);
    expect(await violations(page)).toEqual([]);

    for (const view of [desk, { size: "phone", theme: "dark" } as const]) {
      const shown = await visit(new URL(link).pathname + new URL(link).hash, view);
      await shown.page.getByRole("heading", { name: "Temperature" }).waitFor();
      await shown.page.getByText("Shared until").waitFor();
      await screenshot(shown.page, `embed-${view.size}-${view.theme}`);
      expect(await shown.page.getByRole("navigation").count()).toBe(0);
      expect(await violations(shown.page)).toEqual([]);
      expect(shown.complaints).toEqual([]);
      expect(shown.asked.filter((path) => path.startsWith("/v1/"))).toEqual(["/v1/shared-chart"]);
      const chart = shown.page.getByRole("application");
      await chart.focus();
      await shown.page.keyboard.press("ArrowRight");
      await shown.page.locator(".sr-only[aria-live]").filter({ hasText: "°C" }).waitFor({ state: "attached" });
    }
  });

  test("says so when the link is good no more, and asks no more", async () => {
    const { page, asked } = await visit(`/embed#ilps_00.${"0".repeat(64)}`);
    await page.getByText("the shared link is good no more").waitFor();
    expect(asked.filter((path) => path.startsWith("/v1/"))).toEqual(["/v1/shared-chart"]);
  });
});
