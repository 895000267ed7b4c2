import { describe, expect, it } from "vitest";
import { resolveSecret, secretFault } from "../../../core/alert/secret.ts";
import { readConfig } from "../../../functions/config/environment.ts";

const webhook = { kind: "webhook", url: "https://hook.example/" } as const;

describe("a channel's secret", () => {
  it("is what is stored, or what the named variable holds when it is used", () => {
    const known = { CHANNEL_SECRET_HOOK: "a key of sixteen characters" };
    expect(resolveSecret("plain, sixteen characters", webhook, "c1", known)).toBe("plain, sixteen characters");
    expect(resolveSecret("env:CHANNEL_SECRET_HOOK", webhook, "c1", known)).toBe("a key of sixteen characters");
    expect(resolveSecret(null, { kind: "mqtt" }, "c1", known)).toBeNull();
  });

  it("that refers to nothing, or to what cannot be one, says which variable of which channel", () => {
    const resolve = (known: Record<string, string>) => () =>
      resolveSecret("env:CHANNEL_SECRET_SLACK", { kind: "slack" }, "c1", known);
    expect(resolve({})).toThrow("channel c1 refers to CHANNEL_SECRET_SLACK, which is not set");
    expect(resolve({ CHANNEL_SECRET_SLACK: "no url" })).toThrow(
      /channel c1 refers to CHANNEL_SECRET_SLACK, which .*URL/i,
    );
    // The name is an object's own: nothing of its prototype is a secret.
    expect(resolve({})).toThrow();
  });

  it("refers to no other secret of the process", () => {
    for (const text of ["env:API_KEY", "env:ALERT_SECRET_KEY", "env:CHANNEL_SECRET_", "env:CHANNEL_SECRET_a", "env:"])
      expect(secretFault(webhook, text)).toContain("env:CHANNEL_SECRET_NAME");
    expect(secretFault(webhook, "env:CHANNEL_SECRET_A_1")).toBeNull();
    const config = readConfig({ API_KEY: "k".repeat(32), CHANNEL_SECRET_A: "one", CHANNEL_SECRET_B: " " });
    expect(config.channelSecrets).toEqual({ CHANNEL_SECRET_A: "one" });
  });
});
