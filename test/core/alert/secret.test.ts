import { describe, expect, it } from "vitest";
import { resolveSecret, type SecretReference, secretFault } from "../../../core/alert/secret.ts";
import { variableSecrets } from "../../../functions/adapters/notify/secrets.ts";
import { readConfig } from "../../../functions/config/environment.ts";

const webhook = { kind: "webhook", url: "https://hook.example/" } as const;
const prefix = "/site/alerts/";
const variables = (known: Record<string, string>) => ({ prefix: null, find: variableSecrets(known) });

describe("a channel's secret", () => {
  it("is what is stored, or what the named variable holds when it is used", async () => {
    const known = variables({ CHANNEL_SECRET_HOOK: "a key of sixteen characters" });
    expect(await resolveSecret("plain, sixteen characters", webhook, "c1", known)).toBe("plain, sixteen characters");
    expect(await resolveSecret("env:CHANNEL_SECRET_HOOK", webhook, "c1", known)).toBe("a key of sixteen characters");
    expect(await resolveSecret(null, { kind: "mqtt" }, "c1", known)).toBeNull();
  });

  it("that refers to nothing, or to what cannot be one, says which variable of which channel", async () => {
    const resolve = (known: Record<string, string>) =>
      resolveSecret("env:CHANNEL_SECRET_SLACK", { kind: "slack" }, "c1", variables(known));
    await expect(resolve({})).rejects.toThrow("channel c1: refers to CHANNEL_SECRET_SLACK, which is not set");
    await expect(resolve({ CHANNEL_SECRET_SLACK: "no url" })).rejects.toThrow(
      /channel c1: refers to CHANNEL_SECRET_SLACK, which .*URL/i,
    );
  });

  it("refers to no other secret of the process", () => {
    for (const text of ["env:API_KEY", "env:ALERT_SECRET_KEY", "env:CHANNEL_SECRET_", "env:CHANNEL_SECRET_a", "env:"])
      expect(secretFault(webhook, text, prefix)).toContain("env:CHANNEL_SECRET_NAME");
    expect(secretFault(webhook, "env:CHANNEL_SECRET_A_1")).toBeNull();
    const config = readConfig({ API_KEY: "k".repeat(32), CHANNEL_SECRET_A: "one", CHANNEL_SECRET_B: " " });
    expect(config.channelSecrets).toEqual({ CHANNEL_SECRET_A: "one" });
  });

  it("lies in AWS under the one prefix that the operator has named, and nowhere else", async () => {
    const asked: SecretReference[] = [];
    const find = async (reference: SecretReference) => {
      asked.push(reference);
      return "a key of sixteen characters";
    };
    for (const text of ["ssm:/site/alerts/hook", "secretsmanager:site/alerts/a/hook"]) {
      expect(secretFault(webhook, text, prefix)).toBeNull();
      expect(await resolveSecret(text, webhook, "c1", { prefix, find })).toBe("a key of sixteen characters");
      expect(secretFault(webhook, text, null)).toContain("ALERT_SECRET_PREFIX");
      await expect(resolveSecret(text, webhook, "c1", { prefix: null, find })).rejects.toThrow("ALERT_SECRET_PREFIX");
      await expect(resolveSecret(text, webhook, "c1", { prefix: "/other/", find })).rejects.toThrow(/NAME/);
    }
    expect(asked).toEqual([
      { store: "ssm", name: "/site/alerts/hook" },
      { store: "secretsmanager", name: "site/alerts/a/hook" },
    ]);
    const beyond = [
      "ssm:/site/alerts/",
      "ssm:/site/alerts/../x",
      "ssm:/site/alertsx",
      "ssm:site/alerts/x",
      "ssm:/aws/reference/secretsmanager/x",
      "ssm:arn:aws:ssm:eu-central-1:123456789012:parameter/site/alerts/x",
      "secretsmanager:/site/alerts/x",
      "secretsmanager:arn:aws:secretsmanager:eu-central-1:123456789012:secret:site/alerts/x",
      "ssm:/site/alerts/a b",
      "ssm:/site/alerts/x\n",
    ];
    expect(beyond.filter((text) => secretFault(webhook, text, prefix) === null)).toEqual([]);
    expect(() => readConfig({ ALERT_SECRET_PREFIX: "/" })).toThrow("ALERT_SECRET_PREFIX");
  });
});
