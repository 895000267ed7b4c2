import { neonConfig } from "@neondatabase/serverless";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Neon, startNeon } from "../../../neon.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";

/** The adapters' own tests once more, every connection by Neon's driver and its WebSocket. */
vi.mock("../../../../functions/adapters/postgres/connection/pool.ts", async (original) => {
  const real = await original<typeof import("../../../../functions/adapters/postgres/connection/pool.ts")>();
  const openDatabase: typeof real.openDatabase = (options) => real.openDatabase({ ...options, driver: "neon" });
  return { ...real, openDatabase };
});

let postgres: TestPostgres;
let neon: Neon;
beforeAll(async () => {
  postgres = await startTestPostgres();
  neon = await startNeon(postgres.url);
  neonConfig.wsProxy = (host, port) => `127.0.0.1:${neon.port}/v2?address=${host}:${port}`;
  neonConfig.useSecureWebSocket = false;
  // These Postgres ask for SCRAM, which does not take the password in advance.
  neonConfig.pipelineConnect = false;
});
afterAll(async () => {
  await neon.stop();
  await postgres.stop();
});

describe("registry", () => import("./registry/registry.test.ts").then(() => {}));
describe("ledger", () => import("./ledger.test.ts").then(() => {}));
describe("scores", () => import("./score/scores.test.ts").then(() => {}));
describe("migrate", () => import("./migrate.test.ts").then(() => {}));

test("all of that went by the WebSocket", () => {
  expect(neon.mostOpen()).toBeGreaterThan(0);
});
