import { afterAll, afterEach, beforeAll } from "vitest";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { startApi, type TestApi } from "./harness.ts";

/** Starts APIs over one Postgres of the test file that calls it; each is closed when its test is over. */
export function apiStarter() {
  const open: TestApi[] = [];
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startTestPostgres();
  });
  afterEach(async () => {
    for (const api of open.splice(0)) await api.close();
  });
  afterAll(async () => {
    await postgres.stop();
  });
  return async (options: Parameters<typeof startApi>[1] = {}): Promise<TestApi> => {
    const api = await startApi(postgres, options);
    open.push(api);
    return api;
  };
}
