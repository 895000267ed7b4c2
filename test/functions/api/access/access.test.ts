import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createKey } from "../../../../core/access/keys.ts";
import { scopes } from "../../../../core/access/scope.ts";
import { makeLink } from "../../../../core/access/sessions.ts";
import type { AccessServices } from "../../../../functions/api/access/services.ts";
import { rules } from "../../../../functions/api/access/table.ts";
import {
  ApiKeyList,
  ApiKeyResponse,
  AuditPage,
  NewKeyResponse,
  SessionResponse,
} from "../../../../functions/api/contract/access.ts";
import { manifestOf, someSlot } from "../../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";
import { getAs, getProblem, post, startApi, type TestApi } from "../harness.ts";

let postgres: TestPostgres;
let api: TestApi;

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterEach(async () => {
  await api.close();
});
afterAll(async () => {
  await postgres.stop();
});

const bootstrapKey = "bootstrap-key-of-thirty-two-chars";

async function start(access: Partial<AccessServices> = {}) {
  api = await startApi(postgres, { access: { mode: "private", bootstrapKey, ...access } });
  await api.ledger.rememberSensors(["a"], someSlot);
  await api.registry.register({ manifest: manifestOf(), statusReason: "first", now: someSlot });
}

async function keyWith(...granted: (typeof scopes)[number][]) {
  const made = { name: "a key", scopes: granted, expiresAt: null, createdBy: "test" };
  return createKey(api.services.access, made);
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** A request that every operation understands as far as its scope. */
function requestOf(operation: string): [string, RequestInit] {
  const [method = "", path = ""] = operation.split(" ");
  return [path.replace("{id}", "a"), { method: method.toUpperCase() }];
}

const guarded = Object.entries(rules).filter(([, { scope }]) => scope !== "public");

describe("a private API", () => {
  it("tells nobody anything, however they ask", async () => {
    await start();
    for (const [operation] of guarded) {
      const [path, init] = requestOf(operation);
      const problem = await getProblem(api.app, path, 401, init);
      expect(problem.code).toBe("unauthorised");
    }
    expect((await api.app.request("/v1/sensors", { method: "HEAD" })).status).toBe(401);
    expect((await api.app.request("/v1/nothing")).status).toBe(404);
    expect(api.queue.sent).toEqual([]);
  });

  it("gives each scope its own operations and no other", async () => {
    await start();
    for (const scope of scopes) {
      const { token } = await keyWith(scope);
      for (const [operation, rule] of guarded) {
        const [path, init] = requestOf(operation);
        const { status } = await api.app.request(path, { ...init, headers: bearer(token) });
        const isRefused = status === 401 || status === 403;
        expect([operation, scope, isRefused]).toEqual([
          operation,
          scope,
          rule.scope === "share" || (scope !== "admin" && scope !== rule.scope),
        ]);
        expect(status).toBeLessThan(500);
      }
    }
    const { token } = await keyWith("read");
    const refused = await api.app.request("/v1/sensors/a:train", { method: "POST", headers: bearer(token) });
    expect(refused.headers.get("WWW-Authenticate")).toContain('error="insufficient_scope", scope="train"');
    expect(await refused.json()).toMatchObject({
      code: "forbidden",
      detail: expect.stringContaining("a key has read"),
    });
  });

  it("opens reading where that is set, and writing never", async () => {
    await start({ mode: "public-read" });
    for (const [operation, { scope }] of guarded) {
      const [path, init] = requestOf(operation);
      const { status } = await api.app.request(path, init);
      expect([operation, status === 401]).toEqual([operation, scope !== "read" && scope !== "ops"]);
    }
  });

  it("says of a key whether it is wrong, has expired or was revoked, to its owner only", async () => {
    await start();
    const { key, token } = await keyWith("read");
    const detail = async (sent: string) =>
      (await getProblem(api.app, "/v1/sensors", 401, { headers: bearer(sent) })).detail;
    expect((await api.app.request("/v1/sensors", { headers: bearer(token) })).status).toBe(200);
    expect((await getProblem(api.app, "/v1/sensors", 401)).detail).toContain("sign in, or send an API key");
    expect(await detail("something")).toBe("the API key is wrong");
    const ended = { name: "old", scopes: ["read" as const], expiresAt: someSlot, createdBy: "test" };
    const { token: old } = await createKey(api.services.access, ended);
    expect(await detail(old)).toContain("has expired");
    await api.services.access.keys.revoke(key.keyId, someSlot);
    expect(await detail(token)).toContain("was revoked");
    const other = (await keyWith("read")).token;
    const grafted = `${token.slice(0, 17)}${other.slice(17)}`;
    expect(await detail(grafted)).toBe("the API key is wrong");
  });

  it("stores nothing of a key that would let anybody use it", async () => {
    await start();
    const { token } = await keyWith("read");
    await makeLink(api.services.access);
    const rows = await Promise.all(
      (["api_key", "session", "sign_in_link", "audit"] as const).map((table) =>
        api.db.selectFrom(table).selectAll().execute(),
      ),
    );
    expect(JSON.stringify(rows)).not.toContain(token.slice(17, 40));
    expect(JSON.stringify(api.log.lines)).not.toContain(token);
  });
});

describe("/v1/keys", () => {
  it("makes, lists and revokes, and shows the token once", async () => {
    await start();
    const admin = bearer(bootstrapKey);
    const body = { name: "grafana", scopes: ["read", "read"], expiresAt: "2030-01-01T00:00:00+01:00" };
    const made = await getAs(api.app, "/v1/keys", NewKeyResponse, { ...post(body, admin), status: 201 });
    expect(made.key).toMatchObject({ scopes: ["read"], createdBy: "API_KEY", expiresAt: "2029-12-31T23:00:00.000Z" });
    expect((await api.app.request("/v1/sensors", { headers: bearer(made.token) })).status).toBe(200);
    api.clock.advance(61);
    const listed = await api.app.request("/v1/keys", { headers: admin });
    const text = await listed.text();
    expect(text).not.toContain(made.token.slice(17));
    expect(text).not.toContain("sha256");
    expect(ApiKeyList.parse(JSON.parse(text)).items).toHaveLength(1);
    const path = `/v1/keys/${made.key.keyId}:revoke`;
    const revoked = await getAs(api.app, path, ApiKeyResponse, { method: "POST", headers: admin });
    expect(revoked).toMatchObject({ lastUsedAt: someSlot.toISOString(), revokedAt: api.clock.now().toISOString() });
    await getProblem(api.app, "/v1/sensors", 401, { headers: bearer(made.token) });
    expect(await getAs(api.app, path, ApiKeyResponse, { method: "POST", headers: admin })).toEqual(revoked);
    await getProblem(api.app, "/v1/keys/nobody:revoke", 404, { method: "POST", headers: admin });
  });

  it.each([
    {},
    { name: "x", scopes: [] },
    { name: "x", scopes: ["root"] },
    { name: " ", scopes: ["read"] },
    { name: "x", scopes: ["read"], expiresAt: "2020-01-01T00:00:00Z" },
    { name: "x\0", scopes: ["read"] },
  ])("refuses %j", async (body) => {
    await start();
    await getProblem(api.app, "/v1/keys", 422, post(body, bearer(bootstrapKey)));
    expect(await api.services.access.keys.list()).toEqual([]);
  });
});

describe("a session", () => {
  const own = { Origin: "http://localhost", Host: "localhost", "Sec-Fetch-Site": "same-origin" };

  async function signIn(body: object) {
    const response = await api.app.request("http://localhost/v1/session", post(body, own));
    return { response, cookie: response.headers.getSetCookie().find((one) => one.startsWith("__Host-session=")) };
  }

  const jar = (cookie: string | undefined) => ({ Cookie: cookie?.split(";")[0] ?? "" });

  it("is opened by a key, in a cookie that no script and no other site gets, and acts with the key's scopes", async () => {
    await start();
    const { token } = await keyWith("read", "train");
    const { response, cookie } = await signIn({ key: token });
    expect(SessionResponse.parse(await response.json()).actor).toEqual({
      kind: "key",
      name: "a key",
      scopes: ["read", "train"],
    });
    for (const attribute of ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"]) expect(cookie).toContain(attribute);
    expect(cookie).not.toContain("Domain");
    expect((await api.app.request("/v1/sensors", { headers: jar(cookie) })).status).toBe(200);
    const train = (headers: Record<string, string>) =>
      api.app.request("http://localhost/v1/sensors/a:train", {
        method: "POST",
        headers: { ...jar(cookie), ...headers },
      });
    expect((await train(own)).status).toBe(202);
    expect((await train({})).status).toBe(403);
    expect((await train({ Origin: "https://evil.example" })).status).toBe(403);
    await getProblem(api.app, "/v1/keys", 403, { headers: jar(cookie) });
  });

  it("ends when it is closed, when its time is over, and with the key that opened it", async () => {
    await start();
    const { key, token } = await keyWith("read");
    const read = async (cookie: string | undefined) =>
      (await api.app.request("/v1/sensors", { headers: jar(cookie) })).status;
    const first = await signIn({ key: token });
    const out = await api.app.request("http://localhost/v1/session", {
      method: "DELETE",
      headers: { ...jar(first.cookie), ...own },
    });
    expect(out.headers.get("Set-Cookie")).toContain("Max-Age=0");
    expect(await read(first.cookie)).toBe(401);
    const second = await signIn({ key: token });
    api.clock.advance(12 * 3600 - 1);
    expect(await read(second.cookie)).toBe(200);
    api.clock.advance(1);
    expect(await read(second.cookie)).toBe(401);
    expect((await getProblem(api.app, "/v1/sensors", 401, { headers: jar(second.cookie) })).detail).toContain(
      "session has ended",
    );
    const third = await signIn({ key: token });
    await api.services.access.keys.revoke(key.keyId, api.clock.now());
    expect(await read(third.cookie)).toBe(401);
  });

  it("is another one at each sign-in: one that was planted before is good for nothing", async () => {
    await start();
    const { token } = await keyWith("read");
    const before = await signIn({ key: token });
    const headers = { ...own, ...jar(before.cookie) };
    const again = await api.app.request("http://localhost/v1/session", post({ key: token }, headers));
    expect(again.headers.getSetCookie()[0]?.split(";")[0]).not.toBe(before.cookie?.split(";")[0]);
    await getProblem(api.app, "/v1/sensors", 401, { headers: jar(before.cookie) });
    await getProblem(api.app, "/v1/sensors", 401, { headers: { Cookie: "__Host-session=planted" } });
  });

  it("is opened by a one-time link once, and not after a quarter of an hour", async () => {
    await start();
    const link = await makeLink(api.services.access);
    const [one, two] = await Promise.all([signIn({ link }), signIn({ link })]);
    expect([one.response.status, two.response.status].toSorted()).toEqual([200, 401]);
    const late = await makeLink(api.services.access);
    api.clock.advance(15 * 60);
    expect((await signIn({ link: late })).response.status).toBe(401);
    expect((await signIn({ link: "guess" })).response.status).toBe(401);
    for (const body of [{}, { key: token70, link: "x" }, { key: 7 }])
      expect((await signIn(body)).response.status).toBe(422);
  });

  it("says who one is and how to sign in", async () => {
    await start();
    const session = async (init = {}) => getAs(api.app, "/v1/session", SessionResponse, init);
    expect(await session()).toMatchObject({
      mode: "private",
      hasIssuer: false,
      actor: { kind: "anonymous", scopes: [] },
    });
    expect(await session({ headers: bearer(bootstrapKey) })).toMatchObject({
      actor: { kind: "bootstrap", scopes: ["admin"] },
    });
    for (const path of ["/v1/session/sign-in", "/v1/session/callback?code=1&state=2"])
      await getProblem(api.app, path, 404);
  });
});

const token70 = "x".repeat(70);

describe("limits", () => {
  const limits = { readsPerSecond: 2, writesPerMinute: 3, trainingsPerDay: 2 };

  it("end reads in 429, which say when there is more, each key and address for itself", async () => {
    await start({ limits });
    const [one, two] = [await keyWith("read"), await keyWith("read")];
    const read = (token: string) => api.app.request("/v1/sensors", { headers: bearer(token) });
    const first = await read(one.token);
    expect([first.headers.get("RateLimit-Policy"), first.headers.get("RateLimit")]).toEqual([
      '"reads";q=20;w=10',
      '"reads";r=19;t=0',
    ]);
    const answers = await Promise.all(Array.from({ length: 40 }, () => read(one.token)));
    const refused = answers.filter((answer) => answer.status === 429);
    expect(refused.length).toBeGreaterThan(10);
    expect(refused[0]?.headers.get("Retry-After")).toBe("1");
    expect(refused[0]?.headers.get("RateLimit")).toContain("r=0");
    expect(await refused[0]?.json()).toMatchObject({ code: "tooMany", status: 429 });
    expect((await read(two.token)).status).toBe(200);
    expect((await api.app.request("/healthz")).status).toBe(200);
  });

  it("end wrong keys in 429, before anything is looked up", async () => {
    await start();
    const guess = () => api.app.request("/v1/sensors", { headers: bearer("guess") });
    const statuses = [];
    for (let i = 0; i < 14; i++) statuses.push((await guess()).status);
    expect(statuses).toEqual([...Array(10).fill(401), ...Array(4).fill(429)]);
    expect(Number((await guess()).headers.get("Retry-After"))).toBeGreaterThan(0);
    expect((await api.app.request("/healthz")).status).toBe(200);
  });

  it("end trainings after so many in a day, over every process", async () => {
    await start({ limits: { ...limits, writesPerMinute: 1000 } });
    const { token } = await keyWith("train");
    const train = async () =>
      (await api.app.request("/v1/sensors/a:train", { method: "POST", headers: bearer(token) })).status;
    expect([await train(), await train(), await train()]).toEqual([202, 202, 429]);
    api.clock.advance(86_401);
    expect(await train()).toBe(202);
  });
});

describe("the audit", () => {
  const list = async (query = "") => getAs(api.app, `/v1/audit${query}`, AuditPage, { headers: bearer(bootstrapKey) });

  it("has who did what to what, when and with what result, also what was refused to them", async () => {
    await start();
    const { key, token } = await keyWith("promote", "train");
    const promote = (id: string) =>
      api.app.request(`/v1/models/${id}:promote`, post({ reason: "better" }, bearer(token)));
    const done = await api.app.request("/v1/sensors/a:train", { method: "POST", headers: bearer(token) });
    await promote("m%209");
    await promote("%00");
    await api.app.request("/v1/keys", { headers: bearer(token) });
    await api.app.request("/v1/session", post({ key: "wrong" }));
    const { items } = await list();
    expect(
      items.map(({ action, object, result, actorKind, actorId }) => [action, object, result, actorKind, actorId]),
    ).toEqual([
      ["session.open", null, "401", "anonymous", "anonymous"],
      ["model.promote", "models/\ufffd", "422", "key", key.keyId],
      ["model.promote", "models/m 9", "404", "key", key.keyId],
      ["sensor.train", "sensors/a", "ok", "key", key.keyId],
    ]);
    expect(items[3]).toMatchObject({
      at: someSlot.toISOString(),
      requestId: done.headers.get("X-Request-Id"),
      address: "unknown",
    });
  });

  it("is read in pages, and forgets after a year", async () => {
    await start();
    const make = () => api.app.request("/v1/keys", post({ name: "k", scopes: ["read"] }, bearer(bootstrapKey)));
    for (let i = 0; i < 3; i++) await make();
    const first = await list("?limit=2");
    const second = await list(`?limit=2&cursor=${first.nextCursor}`);
    expect([...first.items, ...second.items].map(({ object }) => object)).toEqual(
      (await api.services.access.keys.list()).map(() => expect.stringMatching(/^keys\/\w{12}$/)),
    );
    expect(second.nextCursor).toBeNull();
    api.clock.advance(366 * 86_400);
    await make();
    expect((await list()).items).toHaveLength(1);
    await getProblem(api.app, "/v1/audit?cursor=x", 422, { headers: bearer(bootstrapKey) });
  });

  it("does not tell a client that what was done has failed", async () => {
    await start();
    api.services.access.audit.record = async () => {
      throw new Error("disk full");
    };
    const response = await api.app.request("/v1/keys", post({ name: "k", scopes: ["read"] }, bearer(bootstrapKey)));
    expect(response.status).toBe(201);
    expect(z.string().parse(api.log.lines.find(({ event }) => event === "audit.failed")?.fields?.action)).toBe(
      "key.create",
    );
  });
});
