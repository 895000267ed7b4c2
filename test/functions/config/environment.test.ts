import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cronOfStep } from "../../../functions/config/cron.ts";
import { toEnvExample, withTable } from "../../../functions/config/documentation.ts";
import { describeConfig, readConfig } from "../../../functions/config/environment.ts";
import { Environment } from "../../../functions/config/variables.ts";

describe("configuration", () => {
  it("needs nothing: every variable has a default", () => {
    const config = readConfig({});
    expect(config).toMatchObject({ port: 3000, host: "127.0.0.1", stepSeconds: 600, cycleCron: "*/10 * * * *" });
    expect(config.followerDatabaseUrl).toBeNull();
    expect(config.modelStore).toBe(".data/models");
  });

  it("takes an empty string as unset", () => {
    expect(readConfig({ PORT: "", FOLLOWER_DATABASE_URL: " ", DATABASE_DRIVER: "" })).toEqual(readConfig({}));
  });

  it("names every bad variable at once, and never repeats a URL that may hold a password", () => {
    const read = () =>
      readConfig({ PORT: "eighty", FOLLOWER_DATABASE_URL: "mysql://app:hunter2@db/x", CYCLE_CRON: "soon" });
    expect(read).toThrow(
      /FOLLOWER_DATABASE_URL must look like postgres.*CYCLE_CRON must be a cron.*PORT must be a whole number/,
    );
    expect(read).not.toThrow(/hunter2/);
  });

  it("leaves passwords, the API key and inline mappings out of its description", () => {
    const text = JSON.stringify(
      describeConfig(
        readConfig({
          FOLLOWER_DATABASE_URL: "postgres://app:hunter2@db:5432/iot?sslpassword=hunter3",
          PREDICTOR_DATABASE_URL: "postgresql://us:hunter4@db/predictor",
          API_KEY: "hunter6-hunter6-hunter6",
          SOURCE_CONFIG: '{"comment":"hunter5"}',
        }),
      ),
    );
    expect(text).not.toMatch(/hunter/);
    expect(text).toContain("db:5432/iot");
  });

  it.each([
    [5, "*/5 * * * * *"],
    [60, "*/1 * * * *"],
    [600, "*/10 * * * *"],
    [7200, "0 */2 * * *"],
    [86_400, "0 0 * * *"],
    [420, "* * * * *"],
  ])("ticks at least once in a step of %i s", (stepSeconds, cron) => {
    expect(cronOfStep(stepSeconds)).toBe(cron);
    const given = { STEP_SECONDS: String(stepSeconds), SETTLE_SECONDS: "0" };
    expect(readConfig(given).cycleCron).toBe(cron);
  });

  it.each(["0x10", "1e3", "5.0", "+5", "Infinity"])("takes %s for no whole number", (text) => {
    expect(() => readConfig({ SHARD_SIZE: text })).toThrow(/SHARD_SIZE must be a whole number from 1 to 10000/);
  });

  it.each(["0x10", "1e3", "0", "-1", "3601"])("takes %s for no demo speed", (text) => {
    expect(() => readConfig({ DEMO_SPEED: text })).toThrow(/DEMO_SPEED must be a number above 0, up to 3600/);
  });

  it("has a field for each variable", () => {
    const { channelSecrets: _apart, ...fields } = readConfig({});
    expect(Object.keys(fields)).toHaveLength(Object.keys(Environment.shape).length - ["HORIZON"].length);
    const given = {
      SQS_ENDPOINT: "http://localhost:4566",
      FORECAST_QUEUE_URL: "http://localhost/q",
      DEMO_SPEED: "0.5",
    };
    expect(readConfig(given)).toMatchObject({
      sqsEndpoint: given.SQS_ENDPOINT,
      forecastQueueUrl: given.FORECAST_QUEUE_URL,
      demoSpeed: 0.5,
    });
  });

  it.each<[Record<string, string>, RegExp]>([
    [
      { STEP_SECONDS: "5" },
      /SETTLE_SECONDS 60 with STEP_SECONDS 5: a slot expires after 30 s.*SETTLE_SECONDS to 15 or less/,
    ],
    [{ STALE_AFTER_STEPS: "36" }, /STALE_AFTER_STEPS 36 with leads 1-24,30-144\/6: .* after 12 steps.*to 12 or less/],
    [
      { HORIZON: "6", CYCLE_CRON: "0 */2 * * *" },
      /CYCLE_CRON leaves 7200 s between cycles, and a forecast reaches 3600 s/,
    ],
  ])("refuses %j, which contradicts itself, with numbers", (given, message) => {
    expect(() => readConfig(given)).toThrow(message);
  });

  it.each([
    { STEP_SECONDS: "60" },
    { STEP_SECONDS: "5", SETTLE_SECONDS: "15" },
    { STALE_AFTER_STEPS: "12" },
    { HORIZON: "1000" },
    { LEADS: "1-24,30-288/6" },
  ])("takes %j", (given: Record<string, string>) => {
    expect(() => readConfig(given)).not.toThrow();
  });

  it("is described whole by .env.example, whose values are the defaults, and by the documentation", () => {
    const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
    const example = read(".env.example");
    expect(example, "npm run docs:configuration").toBe(toEnvExample());
    const values = example.split("\n").flatMap((line) => (/^[A-Z]/.test(line) ? [line.split(/=(.*)/s)] : []));
    expect(values.map(([name]) => name).sort()).toEqual(Object.keys(Environment.shape).sort());
    expect(readConfig(Object.fromEntries(values))).toEqual(readConfig({}));
    const page = read("docs/configuration.md");
    expect(page, "npm run docs:configuration").toBe(withTable(page));
    for (const name of Object.keys(Environment.shape)) expect(page).toContain(`| \`${name}\` |`);
  });
});
