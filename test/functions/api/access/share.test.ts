import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createKey } from "../../../../core/access/keys.ts";
import { rules } from "../../../../functions/api/access/table.ts";
import { AuditPage } from "../../../../functions/api/contract/access.ts";
import { SharedChart, ShareResponse } from "../../../../functions/api/contract/share.ts";
import { readingsOf, someSlot } from "../../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";
import { forecastsOf, getAs, getProblem, outcomeOf, post, startApi, type TestApi } from "../harness.ts";

let postgres: TestPostgres;
let api: TestApi;
const bootstrapKey = "bootstrap-key-of-thirty-two-chars";
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterEach(() => api.close());
afterAll(() => postgres.stop());

async function start() {
  api = await startApi(postgres, {
    access: { mode: "private", bootstrapKey },
    readings: new Map([["a", readingsOf({ temperature: Array.from({ length: 60 }, (_, i) => 20 + i / 60) })]]),
  });
  await api.ledger.rememberSensors(["a", "b"], someSlot);
  await api.ledger.record([outcomeOf()], forecastsOf());
}
const share = (body: object = {}) =>
  getAs(api.app, "/v1/sensors/a:share", ShareResponse, {
    ...post({ target: "temperature", ...body }, bearer(bootstrapKey)),
    status: 201,
  });

describe("a shared link", () => {
  it("shows its chart, of one target, and what the chart needs", async () => {
    await start();
    const { token, path, expiresAt } = await share();
    expect(path).toBe(`/embed#${token}`);
    expect(Date.parse(expiresAt)).toBe(someSlot.getTime() + 7 * 86_400_000);
    const chart = await getAs(api.app, "/v1/shared-chart", SharedChart, { headers: bearer(token) });
    expect(chart).toMatchObject({ sensorId: "a", expiresAt, target: { target: "temperature" } });
    expect(chart.target.forecast?.q50).toEqual(forecastsOf()[0]!.q50);
    expect(chart.readings.targets.map(({ target }) => target)).toEqual(["temperature"]);
    expect(chart.readings.at.length).toBeGreaterThan(40);
  });

  it("opens nothing else, by any method", async () => {
    await start();
    const { token } = await share();
    for (const [operation, { scope }] of Object.entries(rules)) {
      if (scope === "public" || scope === "share") continue;
      const [method = "", written = ""] = operation.split(" ");
      const path = written.replace("{id}", "a");
      await getProblem(api.app, path, 403, { method: method.toUpperCase(), headers: bearer(token) });
    }
  });

  it("ends with its time and with the key it was signed with, and nobody's forgery begins", async () => {
    await start();
    const { token } = await share({ expiresInSeconds: 60 });
    const [, body] = token.split(/[_.]/);
    const asOther = token.replace(body!, Buffer.from(JSON.stringify(["b", "temperature", 9e9])).toString("hex"));
    const ask = (given: string) => getProblem(api.app, "/v1/shared-chart", 401, { headers: bearer(given) });
    expect((await ask(asOther)).detail).toBe("the shared link is good no more");
    api.clock.advance(60);
    expect((await ask(token)).detail).toBe("the shared link has expired");
    const { token: newer } = await share();
    api.services.access.shareKey = "another key that the links were not signed with";
    expect((await ask(newer)).detail).toBe("the shared link is good no more");
    await getProblem(api.app, "/v1/shared-chart", 401);
  });

  it("is made by administrators alone, and written down", async () => {
    await start();
    const made = { name: "k", scopes: ["read" as const, "alerts" as const], expiresAt: null, createdBy: "t" };
    const { token } = await createKey(api.services.access, made);
    const asked = post({ target: "temperature" }, bearer(token));
    await getProblem(api.app, "/v1/sensors/a:share", 403, asked);
    await getProblem(api.app, "/v1/sensors/nobody:share", 404, post({ target: "temperature" }, bearer(bootstrapKey)));
    await getProblem(api.app, "/v1/sensors/a:share", 422, post({ target: "noise" }, bearer(bootstrapKey)));
    await getProblem(
      api.app,
      "/v1/sensors/a:share",
      422,
      post({ target: "temperature", expiresInSeconds: 1e9 }, bearer(bootstrapKey)),
    );
    const link = await share();
    const text = await (await api.app.request("/v1/audit", { headers: bearer(bootstrapKey) })).text();
    expect(AuditPage.parse(JSON.parse(text)).items[0]).toMatchObject({ action: "chart.share", result: "ok" });
    expect(text).not.toContain(link.token);
  });

  it("is counted apart: who asks too often with one ends nobody else's reading", async () => {
    await start();
    await api.close();
    const limits = { readsPerSecond: 1, writesPerMinute: 100, trainingsPerDay: 1 };
    api = await startApi(postgres, { access: { mode: "private", bootstrapKey, limits } });
    await api.ledger.rememberSensors(["a"], someSlot);
    const [one, other] = [await share(), await share({ expiresInSeconds: 3_600 })];
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const { status } = await api.app.request("/v1/shared-chart", { headers: bearer(one.token) });
      statuses.push(status);
    }
    expect(statuses.at(-1)).toBe(429);
    expect((await api.app.request("/v1/shared-chart", { headers: bearer(other.token) })).status).toBe(200);
  });
});
