import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createKey } from "../../core/access/keys.ts";
import type { Scope } from "../../core/access/scope.ts";
import { makeLink } from "../../core/access/sessions.ts";
import type { AccessServices } from "../../functions/api/access/services.ts";
import { createSite, type HttpServer, listen } from "../../functions/machine/server.ts";
import { someSlot } from "../builders.ts";
import { startApi, type TestApi } from "../functions/api/harness.ts";
import { startTestPostgres, type TestPostgres } from "../postgres.ts";
import { buildDashboard, findChromium, launch, openPage, screenshot, type View, violations } from "./browser.ts";

const executable = findChromium();

describe.skipIf(executable === null)("signing in to the dashboard of a private API, in a browser", () => {
  let postgres: TestPostgres;
  let bundle: Awaited<ReturnType<typeof buildDashboard>>;
  let browser: Browser;
  let api: TestApi;
  let server: HttpServer;
  let page: Page;

  beforeAll(async () => {
    [postgres, bundle, browser] = await Promise.all([startTestPostgres(), buildDashboard(), launch(executable ?? "")]);
  });
  afterEach(async () => {
    await page.close();
    await server.close();
    await api.close();
  });
  afterAll(async () => {
    await browser?.close();
    bundle?.remove();
    await postgres?.stop();
  });

  async function visit(
    path: string,
    access: Partial<AccessServices> = {},
    view: View = { size: "desk", theme: "light" },
  ) {
    api = await startApi(postgres, { access: { mode: "private", ...access } });
    await api.ledger.rememberSensors(["greenhouse"], someSlot);
    const site = createSite((request, env) => api.app.fetch(request, env), bundle.dist, {
      host: "127.0.0.1",
      names: [],
    });
    server = await listen(site.fetch, { host: "127.0.0.1", port: 0 });
    ({ page } = await openPage(browser, view));
    await page.goto(server.url + path);
  }

  const makeKey = async (...scopes: Scope[]) => {
    const made = { name: "ada's key", scopes, expiresAt: null, createdBy: "test" };
    return createKey(api.services.access, made);
  };
  const enter = async (token: string) => {
    await page.getByLabel("API key").fill(token);
    await page.getByRole("button", { name: "Sign in with the key" }).click();
  };

  test.each<View>([
    { size: "desk", theme: "light" },
    { size: "phone", theme: "dark" },
  ])("shows nothing before, leads back afterwards, and forgets at the end, $size $theme", async (view) => {
    await visit("/sensors/greenhouse", {}, view);
    await page.getByText("Sign in to see this").waitFor();
    expect(await page.getByText("Sign in to see this").count()).toBe(1);
    expect(await violations(page)).toEqual([]);
    await page.getByRole("main").getByRole("link", { name: "Sign in" }).click();
    await page.getByLabel("API key").waitFor();
    await screenshot(page, `sign-in-${view.size}-${view.theme}`);
    expect(await violations(page)).toEqual([]);

    await enter("a wrong key");
    await page.getByText("the API key is wrong").waitFor();
    expect(await violations(page)).toEqual([]);
    const { token } = await makeKey("read", "ops");
    await enter(token);
    await page.getByRole("heading", { name: "greenhouse" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/sensors/greenhouse");

    const kept = await page.evaluate<string>(
      "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])",
    );
    expect(kept).not.toContain(token.slice(0, 20));
    expect(kept).not.toContain("session");
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({
      name: "__Host-session",
      httpOnly: true,
      secure: true,
      sameSite: "Strict",
      path: "/",
    });

    await page.reload();
    await page.getByRole("link", { name: "ada's key" }).click();
    await page.getByText("You may: read, ops.").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API key").waitFor();
    expect(await page.context().cookies()).toEqual([]);
  });

  test("signs in by a one-time link, which leaves the address and is good once", async () => {
    await visit("/");
    await page.getByText("Sign in to see this").waitFor();
    const link = await makeLink(api.services.access);
    await page.goto(`${server.url}/sign-in#link=${link}`);
    await page.getByRole("link", { name: "greenhouse" }).first().waitFor();
    expect(page.url()).toBe(`${server.url}/`);
    await page.context().clearCookies();
    await page.goto("about:blank");
    await page.goto(`${server.url}/sign-in#link=${link}`);
    await page.getByText("the link was used before or has expired").waitFor();
  });

  test("says what a key lacks, and when there were too many requests", async () => {
    await visit("/", { limits: { readsPerSecond: 1, writesPerMinute: 100, trainingsPerDay: 1 } });
    const { token } = await makeKey("forecast");
    await page.goto(`${server.url}/sign-in`);
    await enter(token);
    await page.getByText("You may not see this").waitFor();
    await page.getByText("this wants the scope read; ada's key has forecast").waitFor();
    expect(await violations(page)).toEqual([]);
    for (let i = 0; i < 20; i++) await page.evaluate("fetch('/v1/sensors').then((answer) => answer.status)");
    await page.reload();
    await page.getByText("Too many requests").first().waitFor();
    expect(await violations(page)).toEqual([]);
  });
});
