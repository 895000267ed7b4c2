import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cronOfStep, describeConfig, Environment, readConfig } from "../../../functions/config/environment.ts";

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
      /FOLLOWER_DATABASE_URL must look like postgres.*PORT must be a whole number.*CYCLE_CRON must be a cron/,
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
    expect(readConfig({ STEP_SECONDS: String(stepSeconds) }).cycleCron).toBe(cron);
  });

  it("is described whole in .env.example, whose values are the defaults", () => {
    const lines = readFileSync(new URL("../../../.env.example", import.meta.url), "utf8").split("\n");
    const example = Object.fromEntries(lines.filter((line) => /^[A-Z]/.test(line)).map((line) => line.split(/=(.*)/s)));
    expect(Object.keys(example).sort()).toEqual(Object.keys(Environment.shape).sort());
    expect(readConfig(example)).toEqual(readConfig({}));
  });
});
