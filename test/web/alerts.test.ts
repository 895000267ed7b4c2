import { describe, expect, test } from "vitest";
import { findChromium, screenshot, violations } from "./browser.ts";
import { dashboardVisits, desk } from "./visits.ts";

const executable = findChromium();
const phone = { size: "phone", theme: "dark" } as const;
const isWider = "document.documentElement.scrollWidth > innerWidth";
const fromChart = "/alerts/new?sensor=room3&target=temperature&side=above&limit=26";

describe.skipIf(executable === null)("the alerts pages in a browser", () => {
  const { visit } = dashboardVisits(executable);

  test.each([desk, phone])(
    "say what fires, by which forecast, and how each rule stands, $size $theme, without an axe violation",
    async (view) => {
      const { page, complaints } = await visit("/alerts", view);
      await page.getByText("temperature above 26 °C from about 19:10 UTC, 35 %").first().waitFor();
      await page.getByText("cannot see: the source is stale").waitFor();
      await page.getByText("1 firing, 1 blind, 7 ok").waitFor();
      await page.getByText("What made it fire").click();
      await page.getByRole("img", { name: "room3, temperature above 26 °C" }).waitFor();
      await screenshot(page, `alerts-${view.size}-${view.theme}`);
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
      expect(await page.evaluate<boolean>(isWider)).toBe(false);
    },
  );

  test("acknowledge with a note, by keyboard alone", async () => {
    const { page, complaints } = await visit("/alerts");
    await page.getByLabel("Note on A room gets too warm, room3").focus();
    await page.keyboard.type("window opened");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("by anonymous: window opened").waitFor();
    expect(complaints).toEqual([]);
  });

  test.each([desk, phone])("rehearse what a chart asked for, $size $theme, without an axe violation", async (view) => {
    const { page, complaints, mock } = await visit(fromChart, view);
    await page
      .getByText("it would have fired 5 times: 4 true, 1 h 30 min before in the median, 10 min at worst")
      .waitFor();
    expect(await page.getByLabel("Above, °C").inputValue()).toBe("26");
    expect(mock.state.sentRules[0]).toMatchObject({
      selector: { sensorIds: ["room3"] },
      condition: { kind: "forecast", target: "temperature", low: null, high: 26, chance: 0.35, withinSeconds: 10_800 },
    });
    await page.getByText("fired 4 May 09:23").click();
    await page.getByRole("img", { name: /^true: room3, fired 4 May 09:23/ }).waitFor();
    await screenshot(page, `rule-${view.size}-${view.theme}`);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
    expect(await page.evaluate<boolean>(isWider)).toBe(false);
  });

  test("take a point of the trade-off with the arrow keys, and rehearse it", async () => {
    const { page, mock } = await visit(fromChart);
    const point = page.getByRole("radio", { name: /^Chance 35 %, limit as it is: 4 true/ });
    await point.focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => page.getByLabel("Chance at least, %").inputValue()).toBe("65");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => page.getByLabel("Above, °C").inputValue()).toBe("26.4");
    expect(await page.getByLabel("Chance at least, %").inputValue()).toBe("35");
    await expect.poll(() => mock.state.sentRules.at(-1)?.condition).toMatchObject({ high: 26.4, chance: 0.35 });
  });

  test("tell what is wrong with a rule before anything is sent", async () => {
    const { page, mock } = await visit("/alerts/new");
    await page.getByRole("button", { name: "Make the rule" }).click();
    await page.getByText("Name: give the rule one").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("warm");
    await page.getByLabel("Above, °C").fill("warm");
    await page.getByRole("button", { name: "Make the rule" }).click();
    await page.getByText("Above: “warm” is no number").waitFor();
    await page.getByLabel("Above, °C").fill("20");
    await page.getByLabel("Below, °C").fill("21");
    await page.getByRole("button", { name: "Make the rule" }).click();
    await page.getByText("Below (21) must be less than above (20)").waitFor();
    expect(await violations(page)).toEqual([]);
    expect(mock.state.sentRules).toEqual([]);
  });

  test("make a rule of each kind", async () => {
    const { page, mock } = await visit("/alerts/new");
    const make = async (kind: string, fill: Record<string, string>) => {
      await page.goto(`${mock.url}/alerts/new`);
      await page.getByLabel("Name", { exact: true }).fill(kind);
      await page.getByLabel("Fires when").selectOption(kind);
      for (const [label, value] of Object.entries(fill)) await page.getByLabel(label).fill(value);
      await page.getByRole("button", { name: "Make the rule" }).click();
      await page.getByRole("heading", { name: "Firing now" }).waitFor();
      return mock.state.sentRules.at(-1)!.condition;
    };
    const target = "temperature";
    const ahead = { chance: 0.35, withinSeconds: 10_800 };
    expect(await make("forecast", {})).toEqual({ kind: "forecast", target, low: null, high: null, ...ahead });
    expect(await make("forecast", { "Below, °C": "18", "Above, °C": "26,5", "Chance at least, %": "7" })).toEqual({
      ...{ kind: "forecast", target, low: 18, high: 26.5, chance: 0.07, withinSeconds: 10_800 },
    });
    expect(await make("forecastChange", { "Change an hour, °C": "-2" })).toMatchObject({ perHour: -2, ...ahead });
    expect(await make("observed", { "Below, °C": "18" })).toEqual({ kind: "observed", target, low: 18, high: null });
    expect(await make("silent", { "For, minutes": "45" })).toEqual({ kind: "silent", forSeconds: 2_700 });
    expect(await make("unforecast", {})).toEqual({ kind: "unforecast", forSeconds: 1_800 });
    expect(await make("accuracy", { "Coverage below, %": "70" })).toMatchObject({
      coverageBelow: 0.7,
      skillBelow: null,
    });
    expect(await make("sourceAge", {})).toEqual({ kind: "sourceAge", forSeconds: 1_800 });
    expect(await make("databaseSize", { "Larger than, MB": "500" })).toMatchObject({ aboveBytes: 5e8 });
    expect(await make("backupAge", { "For, minutes": "2880" })).toMatchObject({ forSeconds: 172_800 });
  });

  test("change and delete a rule; the safe answer has the focus", async () => {
    const { page, mock, complaints } = await visit("/alerts/rules/warm", phone);
    await page.getByText("Severity, patience, repeats and mutes").click();
    await page.getByLabel("Severity").selectOption("critical");
    await page.getByLabel("Tell again after, hours").fill("4");
    await page.getByRole("button", { name: "Add hours without notices" }).click();
    await page.getByLabel("Sun").uncheck();
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate<boolean>(isWider)).toBe(false);
    await page.getByLabel("enabled").uncheck();
    await page.getByRole("button", { name: "Save the rule" }).click();
    await page.getByRole("heading", { name: "Firing now" }).waitFor();
    expect(mock.state.sentRules.at(-1)).toMatchObject({
      ...{ severity: "critical", isEnabled: false, repeatSeconds: 14_400 },
      muteWindows: [{ days: [1, 2, 3, 4, 5, 6], from: "22:00", to: "06:00", timeZone: "Europe/Brussels" }],
    });
    await page.getByRole("link", { name: "A room gets too warm" }).first().click();
    await page.getByRole("button", { name: "Delete the rule" }).click();
    expect(await page.evaluate<string>("document.activeElement.textContent")).toBe("Keep it");
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Firing now" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("make a channel of Kafka, whose password is asked where it signs in", async () => {
    const { page, mock } = await visit("/alerts/channels", phone);
    await page.getByRole("button", { name: "New channel…" }).click();
    await page.getByLabel("Kind").selectOption("kafka");
    await page.getByLabel("Channel's name").fill("bus");
    await page.getByLabel("Brokers, with commas between").fill("k-1.example:9092, k-2.example:9092");
    await page.getByLabel("Topic").fill("alerts");
    expect(await page.getByLabel("Password").count()).toBe(0);
    await page.getByLabel("Signs in by").selectOption("scram-sha-512");
    await page.getByLabel("User").fill("writer");
    await page.getByLabel("Password").fill("env:CHANNEL_SECRET_KAFKA");
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate<boolean>(isWider)).toBe(false);
    await screenshot(page, "channel-kafka");
    await page.getByRole("button", { name: "Add the channel" }).click();
    await page.getByText("Kafka, topic alerts at k-1.example:9092, k-2.example:9092").waitFor();
    expect(mock.state.channels[0]).toMatchObject({
      hasSecret: true,
      settings: { isEncrypted: true, sasl: { mechanism: "scram-sha-512", username: "writer" } },
    });
  });

  test("make, test, change and delete a channel", async () => {
    const { page, mock, complaints } = await visit("/alerts/channels", phone);
    await page.getByRole("button", { name: "New channel…" }).click();
    await page.getByLabel("Channel's name").fill("ops");
    await page.getByLabel("URL").fill("https://example.com/hook");
    expect((await page.getByLabel("Key that signs").inputValue()).length).toBeGreaterThan(16);
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Add the channel" }).click();
    await page.getByRole("button", { name: "Test ops" }).click();
    await page.getByText("arrived in").waitFor();
    await page.getByText("Deliveries", { exact: true }).click();
    await page.getByText("arrived: 204").waitFor();
    await page.getByRole("button", { name: "Edit ops" }).click();
    await page.getByLabel("Kind").selectOption("email");
    await page.getByLabel("To, with commas between").fill("a@example.com, b@example.com");
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Save the channel" }).click();
    await page.getByText("E-mail, a@example.com, b@example.com").waitFor();
    expect(await page.evaluate<boolean>(isWider)).toBe(false);
    await page.getByRole("button", { name: "Delete ops" }).click();
    await page.getByRole("button", { name: "Delete it" }).click();
    await page.getByText("No channels yet").waitFor();
    expect(mock.state.channels).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
