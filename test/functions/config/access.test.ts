import { describe, expect, it } from "vitest";
import { assertAccess } from "../../../functions/config/access.ts";
import { readConfig } from "../../../functions/config/environment.ts";
import { isLoopback } from "../../../functions/machine/hosts.ts";

const key = "0123456789abcdef0123456789abcdef";
const start = (environment: Record<string, string>, hasKeys = false) => {
  const config = readConfig(environment);
  return () => assertAccess(config, { isLoopback: isLoopback(config.host), hasKeys });
};
const away = { HOST: "0.0.0.0" };
const issuer = { OIDC_ISSUER: "https://id.example", OIDC_CLIENT_ID: "dashboard" };

describe("a start", () => {
  it.each(["127.0.0.1", "localhost", "::1", "127.1.2.3"])("needs nothing on %s", (HOST) => {
    expect(start({ HOST })).not.toThrow();
  });

  it.each(["0.0.0.0", "::", "192.168.1.5", "example.com", "127.0.0.1.example.com", "localhost.example"])(
    "is refused on %s without a credential, and says how to make one",
    (HOST) => {
      for (const none of [{}, { API_KEY: "" }, { API_KEY: "  " }, { ACCESS: "public-read" }, { ACCESS: "private" }]) {
        expect(start({ HOST, ...none })).toThrow(
          /nothing guards it: set API_KEY \(openssl rand -hex 32\).*npm run keys/,
        );
      }
    },
  );

  it("is not refused with a key, an issuer or a key in the database", () => {
    expect(start({ ...away, API_KEY: key })).not.toThrow();
    expect(start({ ...away, ...issuer, OIDC_ADMINS: "ops" })).not.toThrow();
    expect(start(away, true)).not.toThrow();
  });

  it("is refused with a key that is short", () => {
    expect(start({ ...away, API_KEY: key.slice(1) })).toThrow(/API_KEY has 31 characters.*at least 32/);
    expect(start({ API_KEY: key.slice(16) })).not.toThrow();
    expect(() => readConfig({ API_KEY: "short" })).toThrow(/API_KEY must have at least 16 characters/);
  });

  it("is refused with an issuer that is half configured, or gives nobody a role", () => {
    expect(start({ OIDC_ISSUER: "https://id.example" })).toThrow(/OIDC_CLIENT_ID must be/);
    expect(start(issuer)).toThrow(/nobody has a role: .*OIDC_ADMINS/);
    expect(start({ ...issuer, OIDC_VIEWERS: "*" })).not.toThrow();
  });
});
