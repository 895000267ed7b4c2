import { expect, test, vi } from "vitest";
import { withLinkedSecrets } from "../../../functions/config/secrets.ts";

test("leaves the environment alone where SST links nothing", async () => {
  const environment = { FOLLOWER_DATABASE_URL: "postgres://follower/app" };
  expect(await withLinkedSecrets(environment)).toBe(environment);
});

test("fills linked secrets in, and lets the environment win", async () => {
  const linked = {
    SST_RESOURCE_App: '{"name":"app","stage":"test"}',
    SST_RESOURCE_FollowerDatabaseUrl: '{"value":"postgres://linked/app","type":"sst.sst.Secret"}',
    SST_RESOURCE_PredictorDatabaseUrl: '{"value":"postgres://linked/predictor","type":"sst.sst.Secret"}',
  };
  for (const [name, value] of Object.entries(linked)) vi.stubEnv(name, value);
  const environment = { ...linked, PREDICTOR_DATABASE_URL: "postgres://mine/predictor", API_KEY: "" };

  const filled = await withLinkedSecrets(environment);

  vi.unstubAllEnvs();
  expect(filled.FOLLOWER_DATABASE_URL).toBe("postgres://linked/app");
  expect(filled.PREDICTOR_DATABASE_URL).toBe("postgres://mine/predictor");
  expect(filled.API_KEY).toBe("");
});
