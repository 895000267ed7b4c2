import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { hostileIds } from "../hostile-ids.ts";
import { findChromium, screenshot, type View, violations } from "./browser.ts";
import { dashboardVisits, desk } from "./visits.ts";

const executable = findChromium();
const views: View[] = [
  { size: "desk", theme: "light" },
  { size: "desk", theme: "dark" },
  { size: "phone", theme: "light" },
  { size: "phone", theme: "dark" },
];

describe.skipIf(executable === null)("the dashboard in a browser", () => {
  const { visit } = dashboardVisits(executable);
  const rows = (page: Page) => page.locator("tr[data-row]");
  const firstChart = (page: Page) => page.getByRole("application").first();

  test.each(views)("shows the fleet, $size $theme, without a complaint or an axe violation", async (view) => {
    const { page, complaints } = await visit("/", view);
    await rows(page).nth(8).waitFor();
    expect(await rows(page).locator("th a").allTextContents()).toEqual([
      "room5",
      "room4",
      "room7",
      "room8",
      ...(await rows(page).locator("th a").allTextContents()).slice(4),
    ]);
    await screenshot(page, `fleet-${view.size}-${view.theme}`);
    expect(await page.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth")).toBe(false);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test.each(views)("shows a sensor, $size $theme, without a complaint or an axe violation", async (view) => {
    const { page, complaints } = await visit("/sensors/room1", view);
    await page.getByText("Mean absolute error by day").first().waitFor();
    await page.locator("figure canvas").nth(1).waitFor();
    await page.getByText("room1-2016w17").first().waitFor();
    await screenshot(page, `sensor-${view.size}-${view.theme}`);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
    const isWider = await page.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth");
    expect(isWider).toBe(false);
  });

  test("edits a sensor by keyboard, tells bad input, and draws its limits with the chance in words", async () => {
    const { page, complaints } = await visit("/sensors/room1");
    await page.getByRole("button", { name: "Edit" }).focus();
    await page.keyboard.press("Enter");
    const form = page.getByRole("form", { name: "Edit room1" });
    await form.getByLabel("Name").fill("Kitchen");
    const limits = form.getByRole("group", { name: "Temperature should stay, °C" });
    await limits.getByLabel("at least").fill("23");
    await limits.getByLabel("at most").fill("22");
    await page.keyboard.press("Enter");
    await page.getByText("must be below").waitFor();
    expect(await violations(page)).toEqual([]);
    await limits.getByLabel("at least").fill("");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Kitchen" }).waitFor();
    const first = page.locator("figure").first();
    await first.getByText(/above 22 °C from about \d\d:\d\d, 35 %/).waitFor();
    await first.getByText("limit, and what lies beyond it").waitFor();
    expect(await first.getByRole("link", { name: "Alert on this…" }).getAttribute("href")).toBe(
      "/alerts/new?sensor=room1&target=temperature&side=above&limit=22",
    );
    await first.scrollIntoViewIfNeeded();
    await screenshot(page, "sensor-limits");
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test.each(views)("shows what is held, and held back, $size $theme", async (view) => {
    const { page, complaints } = await visit("/sensors/room1?range=24h", view, { seldomSensor: "room1" });
    const first = page.locator("figure").first();
    await first.getByText("between readings").waitFor();
    await first.getByText("held back", { exact: true }).waitFor();
    expect(await page.locator("figure").nth(1).getByText("held back", { exact: true }).count()).toBe(0);
    await page
      .getByText(/comes every 1.h; \d+ of \d+ steps shown stand on the value before/)
      .first()
      .waitFor();
    await page
      .getByText(/1.reading held back, the last 85\.0.°C/)
      .first()
      .waitFor();
    await page
      .getByText(/; 1.reading held back/)
      .first()
      .waitFor();
    await screenshot(page, `held-${view.size}-${view.theme}`);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
    expect(await page.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth")).toBe(false);

    await firstChart(page).focus();
    await page.keyboard.press("n");
    const spoken = firstChart(page).locator("[aria-live]");
    expect(await spoken.textContent()).toMatch(/14:20, no reading, [\d.]+.°C stands$/);
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    expect(await spoken.textContent()).toMatch(/14:00, observed/);
  });

  test("shows where a counter stands and will stand beside its rate", async () => {
    const { page, complaints } = await visit("/sensors/room1", desk, { counterSensor: "room1" });
    await page
      .getByText(/^Counter at 1,000,000.*kWh, by 18:20 at 1,000,09\d.*kWh \(1,000,09\d.* to 1,000,09\d/)
      .waitFor();
    expect(await page.getByText("Counter at").count()).toBe(1);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test.each([desk, { size: "phone", theme: "dark" }] as const)(
    "shows what failed at every delivery and why, $size $theme",
    async (view) => {
      const { page, complaints } = await visit("/", view, { deadLetters: 21 });
      await page.getByText("21 messages failed at every delivery").waitFor();
      await page.getByText("See why, and how to send them back").click();
      await page.getByText("these are the 20 sent last").waitFor();
      await page.getByText("predictor database: <b>away</b>").first().waitFor();
      await page.getByText("ended without an answer").first().waitFor();
      await page.getByRole("region", { name: "Queues" }).getByText("forecast").waitFor();
      await page.getByText(/yesterday added .*, retention frees .* within a day/).waitFor();
      await page.getByText(/^Backed up .* ago/).waitFor();
      // All facts of the state stand in one row.
      const tops =
        "new Set([...document.querySelectorAll('.fact')].map((one) => one.getBoundingClientRect().top)).size";
      expect(await page.evaluate<number>(tops)).toBe(1);
      const audit = page.getByRole("region", { name: "Audit" });
      await audit.getByText("models.promote").first().waitFor();
      expect(await audit.locator("tbody tr").count()).toBe(20);
      await page.getByRole("button", { name: "Show the newest 200" }).focus();
      await page.keyboard.press("Enter");
      await audit.locator("tbody tr").nth(59).waitFor();
      await page.getByText("show", { exact: true }).first().click();
      await page.getByText('"sensorIds":["<i>hall</i>"]').first().waitFor();
      await screenshot(page, `operations-${view.size}-${view.theme}`);
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
      expect(await page.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth")).toBe(false);
    },
  );

  test("shows the models with why each has its status", async () => {
    const { page, complaints } = await visit("/models");
    await page.getByText("won 412 pairs, p = 0.003").first().waitFor();
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("loads more models as one scrolls, and searches them on the server", async () => {
    const { page, mock } = await visit("/models", desk, { models: 100 });
    const ids = page.locator("table").last().locator("tbody th");
    for (const last of [49, 99]) {
      await ids.nth(last).waitFor();
      await page.evaluate("scrollTo(0, document.body.scrollHeight)");
    }
    await page.getByText("device-100-2016w17").waitFor();
    await page.getByRole("searchbox").fill("room1 won");
    await expect.poll(() => ids.allTextContents()).toEqual(["room1-2016w17"]);
    expect(new URL(page.url()).search).toBe("?search=room1+won");
    await page.getByRole("button", { name: "Retired" }).click();
    await page.getByText("No model fits").waitFor();
    expect(mock.requests.some((one) => one.includes("q=room1+won&status=retired"))).toBe(true);
    expect(await violations(page)).toEqual([]);
  });

  test("walks the points by keyboard and speaks them, past and future", async () => {
    const { page } = await visit("/sensors/room1");
    const chart = firstChart(page);
    await chart.focus();
    await page.keyboard.press("n");
    const spoken = chart.locator("[aria-live]");
    expect(await spoken.textContent()).toMatch(/^Wed 4 May 2016,? 14:20, observed 23\.57\s°C$/);
    await page.keyboard.press("ArrowLeft");
    expect(await spoken.textContent()).toMatch(/14:10, observed/);
    for (let i = 0; i < 7; i++) await page.keyboard.press("ArrowRight");
    expect(await spoken.textContent()).toMatch(/15:20, forecast 1\sh ahead: .* 80 % range .* to /);
    await page.keyboard.press("End");
    expect(await spoken.textContent()).toMatch(/18:20, forecast 4\sh ahead/);
  });

  test("says where nothing was measured", async () => {
    const { page } = await visit("/sensors/room5?range=24h");
    await firstChart(page).focus();
    await page.keyboard.press("n");
    for (let i = 0; i < 7; i++) await page.keyboard.press("PageUp");
    expect(await firstChart(page).locator("[aria-live]").textContent()).toMatch(/07:20, no reading$/);
  });

  test("counts no failures where the queues are somebody else's", async () => {
    const { page } = await visit("/", desk, { hasQueues: false });
    await page.getByText("not counted here").waitFor();
    expect(await page.getByText(/\d+ failed/).count()).toBe(0);
  });

  test("has a table twin with the chart's numbers", async () => {
    const { page } = await visit("/sensors/room1");
    await page.getByRole("button", { name: "Show as table" }).click();
    const row = page.getByRole("row", { name: "4 May, 14:20" }).or(page.getByRole("row", { name: "4 May 14:20" }));
    expect(await row.first().locator("td").first().textContent()).toBe("23.57");
    expect(new URL(page.url()).searchParams.get("view")).toBe("table");
    expect(await violations(page)).toEqual([]);
  });

  test("shows an older origin as issued, with what then happened", async () => {
    const { page } = await visit("/sensors/room1?origin=2016-05-04T08:00:00.000Z");
    await page.getByText("As issued Wed 4 May 2016").waitFor();
    await page
      .getByText(/\d+ of 24 actuals lay in the range/)
      .first()
      .waitFor();
    await page.getByRole("button", { name: "One step earlier" }).click();
    await page.getByText(/As issued .*07:50/).waitFor();
    await page.getByRole("button", { name: "To live" }).click();
    await page.getByText("Live", { exact: true }).last().waitFor();
    expect(new URL(page.url()).searchParams.get("origin")).toBeNull();
  });

  test("lays past forecasts of a lead over the chart", async () => {
    const { page, mock } = await visit("/sensors/room1");
    await page.getByLabel("Overlay").selectOption("6");
    await page
      .getByRole("listitem")
      .filter({ hasText: /^forecast 1\sh earlier$/ })
      .first()
      .waitFor();
    expect(mock.requests.some((one) => one.includes("/forecasts?lead=6&from="))).toBe(true);
  });

  test("zooms, and keeps the view in the URL through a reload", async () => {
    const { page } = await visit("/sensors/room1");
    await firstChart(page).waitFor();
    await page.getByRole("button", { name: "Zoom in" }).click();
    const url = new URL(page.url());
    expect(Date.parse(url.searchParams.get("to") ?? "") - Date.parse(url.searchParams.get("from") ?? "")).toBe(
      21_600_000,
    );
    await page.reload();
    await firstChart(page).waitFor();
    expect(page.url()).toBe(url.href);
    await page.getByRole("button", { name: "Reset the time range" }).click();
    expect(new URL(page.url()).search).toBe("");
  });

  test("switches between UTC and local time", async () => {
    const { page } = await visit("/sensors/room1?view=table");
    await page.getByRole("columnheader", { name: "Time (UTC)" }).first().waitFor();
    await page.getByRole("button", { name: /^Times in UTC/ }).click();
    await page.getByRole("columnheader", { name: "Time (local)" }).first().waitFor();
    // Brussels is two hours ahead of UTC in May: the horizon's end at 18:20 UTC.
    expect(await page.locator("tbody th").first().textContent()).toMatch(/20:20/);
  });

  test("has a column with the likeliest crossing of a limit within a day, and sorts by it", async () => {
    const { page } = await visit("/");
    await rows(page).nth(8).waitFor();
    await page.getByRole("button", { name: "Chance" }).click();
    await expect.poll(() => new URL(page.url()).search).toBe("?sort=-chance");
    await rows(page).first().getByRole("link", { name: "room3" }).waitFor();
    const text = await rows(page).first().locator(".c-chance").textContent();
    expect(text).toMatch(/^62 % above 21\.5 °C from about \d\d:\d\d$/);
    expect(await rows(page).nth(1).locator(".c-chance").textContent()).toBe("");
    expect(await page.getByRole("columnheader", { name: "Chance" }).getAttribute("aria-sort")).toBe("descending");
    expect(await violations(page)).toEqual([]);
  });

  test("searches, filters and sorts, and says so in the URL", async () => {
    const { page } = await visit("/");
    await rows(page).nth(8).waitFor();
    const names = () => rows(page).locator("th a").allTextContents();
    await page.getByRole("button", { name: /^Baseline/ }).click();
    await expect.poll(names).toEqual(["room7"]);
    await page.getByText("1 of 9 sensors").waitFor();
    await page.getByRole("button", { name: /^Baseline/ }).click();
    await page.getByRole("button", { name: "Sensor" }).click();
    await expect.poll(async () => (await names())[0]).toBe("room1");
    await page.getByRole("searchbox").fill("room9");
    await expect.poll(names).toEqual(["room9"]);
    expect(new URL(page.url()).search).toBe("?sort=sensor&search=room9");
    await page.getByRole("searchbox").fill("cellar");
    await page.getByText("No sensor fits").waitFor();
  });

  test("asks of a fleet of 2,000 only for what can be seen, and draws no more", async () => {
    const { page, mock } = await visit("/?sort=sensor", desk, { sensors: 2000 });
    await page.getByText("2,000 sensors", { exact: true }).waitFor();
    expect(await rows(page).count()).toBeLessThan(40);
    await page.evaluate("scrollTo(0, document.body.scrollHeight)");
    await page.getByRole("link", { name: "room9", exact: true }).waitFor();
    expect(await rows(page).count()).toBeLessThan(40);
    const offsets = mock.requests.flatMap((one) => /[?&]offset=(\d+)/.exec(one)?.[1] ?? []);
    expect(new Set(offsets)).toEqual(new Set(["0", "1950"]));
    expect(mock.requests.filter((one) => one.startsWith("/v1/sensors?")).every((one) => one.includes("limit=50"))).toBe(
      true,
    );
    mock.state.now += 600_000;
    await expect.poll(() => mock.requests.slice(-4).some((one) => one.includes("offset=1950"))).toBe(true);
    expect(mock.requests.filter((one) => one.includes("offset=0&")).length).toBeLessThan(4);
  });

  test("shows a sensor's name, and all of its group at a click", async () => {
    const { page } = await visit("/");
    await page.getByText("Living room").waitFor();
    await page.getByRole("button", { name: "house/ground floor" }).click();
    await expect.poll(() => rows(page).locator("th a").allTextContents()).toEqual(["room2"]);
    expect(new URL(page.url()).searchParams.get("group")).toBe("house/ground floor");
    await page.getByRole("button", { name: /^In house/ }).click();
    await rows(page).nth(8).waitFor();
  });

  test("shows ids of markup, formulas, dots and other tricks as text, and opens each of them", async () => {
    const { page, complaints } = await visit("/?sort=sensor", desk, { sensors: 0, moreIds: hostileIds });
    await page.setViewportSize({ width: 1440, height: 3_000 });
    await rows(page)
      .nth(hostileIds.length - 1)
      .waitFor();
    expect((await rows(page).locator("th a").allTextContents()).toSorted()).toEqual(hostileIds.toSorted());
    const hrefs = await page.evaluate<string[]>(
      "[...document.querySelectorAll('tr[data-row] th a')].map((link) => link.pathname)",
    );
    expect(hrefs.filter((path) => !/^\/sensors\/[^/]+\/?$/.test(path))).toEqual([]);
    expect(new Set(hrefs).size).toBe(hostileIds.length);
    expect(await page.locator("main script, main img, main b").count()).toBe(0);
    for (const id of hostileIds) {
      const at = (await rows(page).locator("th a").allTextContents()).indexOf(id);
      await rows(page).nth(at).locator("th a").click();
      await page.locator("main h1").waitFor();
      expect(await page.locator("main h1").textContent()).toBe(id);
      await page.goBack();
      await rows(page)
        .nth(hostileIds.length - 1)
        .waitFor();
    }
    expect(complaints).toEqual([]);
  });

  test("takes up new readings by itself, and asks nothing while paused", async () => {
    const { page, mock } = await visit("/sensors/room1?view=table");
    await page.clock.install();
    await page.reload();
    const newest = page.locator("tbody th").first();
    await newest.filter({ hasText: "18:20" }).waitFor();
    mock.state.now += 600_000;
    await newest.filter({ hasText: "18:30" }).waitFor();
    await page.getByRole("button", { name: "Pause live updates" }).click();
    await page.getByText("Paused").first().waitFor();
    // What the last readings were the cause of may still be on its way.
    await page.clock.runFor(1_000);
    await page.evaluate("fetch('/v1/settled').then((response) => response.status)");
    mock.state.now += 600_000;
    const asked = mock.requests.length;
    await page.clock.runFor(60_000);
    // A request of the page's own that comes after any the dashboard has made.
    await page.evaluate("fetch('/v1/last').then((response) => response.status)");
    expect(mock.requests.slice(asked)).toEqual(["/v1/last"]);
    await page.getByRole("button", { name: "Resume live updates" }).click();
    await newest.filter({ hasText: "18:40" }).waitFor();
  });

  test("says why the first load failed and recovers on a retry", async () => {
    const { page, mock } = await visit("/", desk, { failing: "/v1/sensors" });
    await page.getByRole("alert").getByText("The predictor database did not answer within 5,000 ms.").waitFor();
    await screenshot(page, "fleet-failed");
    mock.state.failing = null;
    await page.getByRole("button", { name: "Try now" }).click();
    await rows(page).nth(8).waitFor();
  });

  test("keeps old data and says how old it is when the API goes away", async () => {
    const { page, mock } = await visit("/");
    await rows(page).nth(8).waitFor();
    mock.state.failing = "/v1/";
    await page.getByText(/What you see was true/).waitFor();
    expect(await rows(page).count()).toBe(9);
    await screenshot(page, "fleet-degraded");
    expect(await violations(page)).toEqual([]);
  });

  test("tells an empty fleet, a silent source and a broken source apart, and what comes next", async () => {
    const empty = await visit("/", desk, { sensors: 0 });
    await empty.page.getByText("No sensors yet").waitFor();
    await screenshot(empty.page, "fleet-empty");
    expect(await violations(empty.page)).toEqual([]);
    const stale = await visit("/", desk, { silentSeconds: 7200 });
    await stale.page.getByText("The source is stale.").waitFor();
    await screenshot(stale.page, "fleet-stale");
    expect(await violations(stale.page)).toEqual([]);
    const broken = await visit("/", desk, { sourceError: "connection refused" });
    await broken.page.getByText("The follower database does not answer.").waitFor();
  });

  test("answers for a sensor that is not there, and for a path that is none", async () => {
    const { page, mock } = await visit("/sensors/attic");
    await page.getByText('There is no sensor "attic".').waitFor();
    await page.goto(`${mock.url}/nowhere`);
    await page.getByText("There is no such page").waitFor();
  });

  test("lets the keyboard skip to the content and open a sensor", async () => {
    const { page } = await visit("/");
    await rows(page).nth(8).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate<string>("document.activeElement.textContent")).toBe("Skip to content");
    await page.getByRole("link", { name: "room1", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "room1" }).waitFor();
    expect(await page.title()).toBe("room1 · IoT LSTM Predictor");
    expect(await page.evaluate<string>("document.activeElement.id")).toBe("main");
  });
});
