import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { entryBy, schedule } from "../../../../core/access/audit.ts";
import { createKey } from "../../../../core/access/keys.ts";
import { addSeconds } from "../../../../core/time.ts";
import { openBossQueue } from "../../../../functions/adapters/pgboss.ts";
import { type Database, openDatabase } from "../../../../functions/adapters/postgres/connection/pool.ts";
import { postgresDays } from "../../../../functions/adapters/postgres/day/days.ts";
import { grantRole, rolesScript } from "../../../../functions/adapters/postgres/roles.ts";
import type { PredictorSchema } from "../../../../functions/adapters/postgres/schema.ts";
import { Model } from "../../../../functions/api/contract/models.ts";
import { SensorPage } from "../../../../functions/api/contract/sensors.ts";
import { accessPorts } from "../../../../functions/runtime/access.ts";
import { predictorPorts } from "../../../../functions/runtime/predictor.ts";
import { manifestOf, someSlot } from "../../../builders.ts";
import { testClock } from "../../../fakes/clock.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";
import { forecastsOf, getAs, outcomeOf, post, scoreOf, startApi } from "../../api/harness.ts";

let postgres: TestPostgres;
let owner: Database<PredictorSchema>;
let url: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  url = await postgres.createPredictorDatabase();
  owner = openDatabase<PredictorSchema>({ url, side: "predictor", max: 1 });
  return () => owner.close();
});

/** What Postgres says to each statement of the role: "ok" or the SQLSTATE. */
async function tryAs(roleUrl: string, ...statements: string[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: roleUrl });
  await client.connect();
  const said = [];
  for (const statement of statements) {
    said.push(
      await client.query(statement).then(
        () => "ok",
        (error: { code?: string }) => error.code ?? "?",
      ),
    );
  }
  await client.end();
  return said;
}

const refused = "42501";

describe("the roles of the predictor database", () => {
  it("let the API answer and administer, and write nothing else", async () => {
    const apiUrl = await grantRole(owner.db, url, "api");
    const api = await startApi(postgres, { url: apiUrl });
    const { ledger, registry } = predictorPorts(owner);
    await ledger.record([outcomeOf()], forecastsOf());
    await registry.register({ manifest: manifestOf(), statusReason: "first", now: someSlot });
    await api.ledger.rememberSensors(["a"], someSlot);
    expect((await getAs(api.app, "/v1/sensors", SensorPage)).items).toHaveLength(1);
    await api.registry.promote("model-a", "better", someSlot);
    expect((await getAs(api.app, "/v1/models/model-a", Model)).status).toBe("champion");
    const note = { sensorId: "a", kind: "outage", from: someSlot.toISOString(), text: "plug pulled" };
    const noted = await api.app.request("/v1/annotations", post(note));
    expect(noted.status).toBe(201);
    const { annotationId } = (await noted.json()) as { annotationId: string };
    expect((await api.app.request(`/v1/annotations/${annotationId}`, { method: "DELETE" })).status).toBe(200);
    const made = await api.app.request("/v1/keys", post({ name: "k", scopes: ["read"] }));
    expect(made.status).toBe(201);
    const { key } = (await made.json()) as { key: { keyId: string } };
    expect((await api.app.request(`/v1/keys/${key.keyId}:revoke`, { method: "POST" })).status).toBe(200);
    for (const path of ["/v1/ops", "/v1/audit", "/v1/sensors/a/accuracy", "/readyz"]) {
      expect((await api.app.request(path)).status).not.toBe(500);
    }
    await api.close();
    const said = await tryAs(
      apiUrl,
      "delete from issued",
      "update issued set is_served = false",
      "insert into score (sensor_id) values ('a')",
      "update audit set actor_name = 'somebody'",
      "update model set manifest = '{}'",
      "delete from model",
      "create table mine (x integer)",
      "alter table api_key add column x integer",
      "drop table audit",
      "create role other",
    );
    expect(said).toEqual(said.map(() => refused));
  });

  it("let the workers forecast and score, and see no key and no session", async () => {
    const workerUrl = await grantRole(owner.db, url, "worker");
    const worker = openDatabase<PredictorSchema>({ url: workerUrl, side: "predictor", max: 1 });
    const ports = predictorPorts(worker);
    await ports.ledger.rememberSensors(["a"], someSlot);
    await ports.ledger.record([outcomeOf()], forecastsOf());
    await ports.scores.record([scoreOf()]);
    await ports.registry.register({ manifest: manifestOf(), statusReason: "first", now: someSlot });
    expect(await ports.leases.acquire("x", "me", 60)).toBe(true);
    const act = { at: someSlot, action: "model.promote", object: "models/model-a", result: "ok" };
    await accessPorts(worker).audit.record(entryBy(schedule, act));
    expect(await accessPorts(owner).audit.list({ limit: 9, before: null })).toMatchObject([act]);
    const made = { name: "k", scopes: ["read" as const], expiresAt: null, createdBy: "me" };
    await expect(createKey({ ...accessPorts(worker), clock: testClock(someSlot) }, made)).rejects.toMatchObject({
      cause: { code: refused },
    });
    await worker.close();
    const secrets = ["api_key", "session", "sign_in_link", "audit"].map((table) => `select * from ${table}`);
    const said = await tryAs(
      workerUrl,
      ...secrets,
      "delete from audit",
      "create table mine (x integer)",
      "drop table issued",
      "alter table issued add column x integer",
      "alter table issued disable trigger all",
      "drop function ensure_day",
      "drop view forecast",
      "alter role forecaster_worker superuser",
      "update kysely_migration set name = 'x'",
    );
    expect(said).toEqual(said.map(() => refused));
  });

  it("let the workers use queues that the owner made, and make none", async () => {
    const lines: string[] = [];
    const log = {
      info: () => {},
      warn: (event: string) => lines.push(event),
      error: (event: string) => lines.push(event),
    };
    await (await openBossQueue(url, log)).stop();
    const workerUrl = await grantRole(owner.db, url, "worker");
    const queue = await openBossQueue(workerUrl, log);
    const { promise, resolve } = Promise.withResolvers<string>();
    await queue.work("score", async ({ Records }) => {
      resolve(Records[0]!.body);
      return { batchItemFailures: [] };
    });
    await queue.send("score", [{ key: "a", body: { hello: "worker" } as never }]);
    expect(JSON.parse(await promise)).toEqual({ hello: "worker" });
    await queue.stop();
    expect(lines).toEqual([]);
    const said = await tryAs(
      workerUrl,
      "drop table pgboss.job",
      "alter table pgboss.job add column x integer",
      "create table pgboss.mine (x integer)",
      "drop schema pgboss cascade",
    );
    expect(said).toEqual(said.map(() => refused));
    const apiUrl = await grantRole(owner.db, url, "api");
    const asApi = await tryAs(apiUrl, "delete from pgboss.job", "insert into pgboss.queue (name) values ('x')");
    expect(asApi).toEqual(asApi.map(() => refused));
  });

  it("let the workers make the days that come and drop those that matured, by functions of the owner", async () => {
    const workerUrl = await grantRole(owner.db, url, "worker");
    const worker = openDatabase<PredictorSchema>({ url: workerUrl, side: "predictor", max: 1 });
    const days = postgresDays(worker.db, { mixDays: 2, forecastDays: 9, cycleDays: 9, isArchived: true });
    await days.prepare(someSlot);
    const later = addSeconds(someSlot, 60 * 86_400);
    await days.sum(later);
    expect(new Set((await days.drop(later)).map(({ table }) => table))).toEqual(
      new Set(["issued", "issued_mix", "outcome", "scored_moment"]),
    );
    await worker.close();
  });

  it("are made by a script that may be run again, and holds no password", async () => {
    const script = rolesScript();
    for (let i = 0; i < 2; i++) expect(await tryAs(url, script)).toEqual(["ok"]);
    expect(script).toContain("-- \\password forecaster_api");
    expect(script).not.toMatch(/password '/);
  });
});
