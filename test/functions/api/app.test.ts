import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../../core/errors.ts";
import { TrainAccepted } from "../../../functions/api/contract/models.ts";
import { ReadingsResponse } from "../../../functions/api/contract/readings.ts";
import { Sensor, SensorPage } from "../../../functions/api/contract/sensors.ts";
import { manifestOf, someSlot } from "../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { forecastsOf, getAs, getProblem, outcomeOf, post, scoreOf, startApi, type TestApi } from "./harness.ts";

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

const apiKey = "bootstrap-key-0123456789";
const changes = ["/v1/forecasts", "/v1/models/m:promote", "/v1/sensors/a:rollback", "/v1/sensors/a:train"];
const dashboard = "https://dashboard.example";

async function startWithSensor(options: Parameters<typeof startApi>[1] = {}) {
  api = await startApi(postgres, options);
  await api.ledger.rememberSensors(["a"], someSlot);
  await api.registry.register({ manifest: manifestOf(), statusReason: "first", now: someSlot });
  await api.ledger.record([outcomeOf()], forecastsOf());
  await api.scores.record([scoreOf()]);
}

describe("problems", () => {
  it("answers 404 for a path and 405 with Allow for a method that there is not", async () => {
    api = await startApi(postgres);
    for (const path of ["/", "/v1", "/v1/", "/v1/sensor", "/v1/sensors/a/b", "/v2/sensors", "/..%2f..%2fetc/passwd"]) {
      expect((await getProblem(api.app, path, 404)).code).toBe("notFound");
    }
    for (const [method, path, allow] of [
      ["DELETE", "/v1/sensors", "GET, HEAD"],
      ["PUT", "/v1/sensors/a/forecasts", "GET, HEAD"],
      ["DELETE", "/v1/forecasts", "POST"],
      ["PATCH", "/v1/models/m:promote", "POST"],
      ["POST", "/healthz", "GET, HEAD"],
    ] as const) {
      const response = await api.app.request(path, { method });
      expect([path, response.status, response.headers.get("Allow")]).toEqual([
        path,
        405,
        expect.stringContaining(allow),
      ]);
      await getProblem(api.app, path, 405, { method });
    }
  });

  it("keeps an unforeseen error's text for the log", async () => {
    api = await startApi(postgres);
    api.services.views.databaseSize = async () => {
      throw new Error("relation secret_table at postgres://me:pw@db does not exist");
    };
    const problem = await getProblem(api.app, "/v1/ops", 500);
    expect(JSON.stringify(problem)).not.toContain("secret_table");
    const line = api.log.lines.find((one) => one.event === "api.failed");
    expect(line?.fields).toMatchObject({ requestId: problem.requestId, code: "internal" });
  });

  it.each([
    ["badInput", 422],
    ["notFound", 404],
    ["conflict", 409],
    ["misconfigured", 500],
    ["followerUnavailable", 503],
    ["predictorUnavailable", 503],
    ["timeout", 504],
  ] as const)("maps %s to %i", async (code, status) => {
    api = await startApi(postgres);
    api.services.views.databaseSize = async () => {
      throw new AppError(code, "it went wrong");
    };
    const problem = await getProblem(api.app, "/v1/ops", status);
    expect(problem.code).toBe(code);
    expect(problem.detail === "it went wrong").toBe(status < 500);
  });

  it("says when the predictor database cannot be reached", async () => {
    api = await startApi(postgres, { url: "postgres://me:password@127.0.0.1:1/nowhere" });
    for (const path of ["/v1/sensors", "/v1/sensors/a", "/v1/sensors/a/forecasts", "/v1/ops", "/v1/models"]) {
      const problem = await getProblem(api.app, path, 503);
      expect(problem.code).toBe("predictorUnavailable");
      expect(problem.detail).not.toContain("127.0.0.1");
    }
    await getProblem(api.app, "/readyz", 503);
  });
});

describe("hostile input", () => {
  const hostile = [
    "'; drop table sensor; --",
    "a' or '1'='1",
    "<img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "%00",
    "\u202etxt",
    "{{7*7}}",
    "x".repeat(256),
  ];

  it.each(hostile)("treats the id %j as an id that there is not", async (id) => {
    await startWithSensor();
    for (const suffix of ["", "/readings", "/forecasts", "/forecasts?format=csv", "/accuracy"]) {
      await getProblem(api.app, `/v1/sensors/${encodeURIComponent(id)}${suffix}`, 404);
    }
    const { items } = await getAs(api.app, `/v1/sensors?q=${encodeURIComponent(id)}`, SensorPage);
    expect(items).toEqual([]);
    await getProblem(api.app, `/v1/models/${encodeURIComponent(id)}`, 404);
    expect((await getAs(api.app, "/v1/sensors", SensorPage)).items).toHaveLength(1);
  });

  it.each(["\0", "a\0b", "x".repeat(257), "x".repeat(1_000_000)])(
    "refuses an id that Postgres or we cannot hold",
    async (id) => {
      await startWithSensor();
      for (const path of [`/v1/sensors/${encodeURIComponent(id)}`, `/v1/sensors/${encodeURIComponent(id)}/forecasts`]) {
        const problem = await getProblem(api.app, path, 422);
        expect(problem.errors?.[0]?.path).toBe("id");
        expect(JSON.stringify(problem).length).toBeLessThan(1000);
      }
      await getProblem(api.app, `/v1/sensors?q=${encodeURIComponent(id)}`, 422);
      await getProblem(api.app, `/v1/models?sensorId=${encodeURIComponent(id)}`, 422);
      await getProblem(api.app, `/v1/models/${encodeURIComponent(id)}:promote`, 422, post({ reason: "x" }));
      expect(Math.max(...api.log.lines.map((line) => JSON.stringify(line).length))).toBeLessThan(1000);
    },
  );

  it.each([".", "..", "~.", "~~..", "a.b", "..."])("reaches the sensor %j", async (id) => {
    api = await startApi(postgres);
    await api.ledger.rememberSensors([id, "other"], someSlot);
    const segment = /^~*\.{1,2}$/.test(id) ? `~${id}` : id;
    expect((await getAs(api.app, `/v1/sensors/${segment}`, Sensor)).sensorId).toBe(id);
    await getAs(api.app, `/v1/sensors/${segment}/readings`, ReadingsResponse);
    const queued = await getAs(api.app, `/v1/sensors/${segment}:train`, TrainAccepted, { method: "POST", status: 202 });
    expect(queued.sensorId).toBe(id);
  });

  it("never answers 500, whatever the query", async () => {
    await startWithSensor();
    const name = fc.constantFrom(
      "status",
      "q",
      "sort",
      "cursor",
      "limit",
      "as_of",
      "origin",
      "lead",
      "from",
      "to",
      "group_by",
    );
    const value = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.constantFrom(
        "\0",
        "0",
        "-1",
        "1e9",
        "NaN",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "2026-03-01T00:00:00Z",
      ),
    );
    const path = fc.constantFrom("", "/a", "/a/readings", "/a/forecasts", "/a/accuracy");
    await fc.assert(
      fc.asyncProperty(path, fc.array(fc.tuple(name, value), { maxLength: 3 }), async (base, query) => {
        const response = await api.app.request(`/v1/sensors${base}?${new URLSearchParams(query)}`);
        expect(response.status).toBeLessThan(500);
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});

describe("the key", () => {
  it("is wanted by everything that changes something and by nothing else", async () => {
    await startWithSensor({ access: { bootstrapKey: apiKey, mode: "public-read" } });
    for (const path of changes) {
      const missing = await api.app.request(path, post({}));
      expect([missing.status, missing.headers.get("WWW-Authenticate")]).toEqual([
        401,
        expect.stringContaining("Bearer"),
      ]);
      await getProblem(api.app, path, 401, post({}));
      for (const wrong of [`Bearer ${apiKey}x`, `Bearer ${apiKey.slice(0, -1)}`]) {
        await getProblem(api.app, path, 401, post({}, { Authorization: wrong }));
      }
      for (const malformed of [`Basic ${apiKey}`, "Bearer ", apiKey]) {
        await getProblem(api.app, path, 400, post({}, { Authorization: malformed }));
      }
    }
    expect(api.queue.sent).toEqual([]);
    const right = post({ reason: "better" }, { Authorization: `Bearer ${apiKey}` });
    expect((await api.app.request("/v1/sensors/a:train", right)).status).toBe(202);
    expect((await api.app.request("/v1/sensors")).status).toBe(200);
    expect(JSON.stringify(api.log.lines)).not.toContain(apiKey);
  });

  it("cannot be gone round by a page of another site on an open API", async () => {
    await startWithSensor({ settings: { allowedOrigins: [dashboard] } });
    const train = (headers: Record<string, string>) =>
      api.app.request("http://localhost:3000/v1/sensors/a:train", {
        method: "POST",
        headers: { Host: "localhost:3000", ...headers },
      });
    expect((await train({ Origin: "https://evil.example" })).status).toBe(403);
    expect((await train({ Origin: "null" })).status).toBe(403);
    expect(api.queue.sent).toEqual([]);
    expect((await train({ Origin: "http://localhost:3000" })).status).toBe(202);
    expect((await train({ Origin: dashboard })).status).toBe(202);
    expect((await train({})).status).toBe(202);
  });
});

describe("HTTP manners", () => {
  it("answers 304 to an ETag that still holds, also compressed", async () => {
    await startWithSensor();
    const first = await api.app.request("/v1/sensors/a/forecasts");
    const etag = first.headers.get("ETag")!;
    expect(etag).toBeTruthy();
    const again = (tag: string) =>
      api.app.request("/v1/sensors/a/forecasts", { headers: { "If-None-Match": tag, "Accept-Encoding": "gzip" } });
    const same = await again(etag);
    expect([same.status, await same.text()]).toEqual([304, ""]);
    expect((await again(`W/${etag}`)).status).toBe(304);
    await api.scores.record([scoreOf({ targetAt: new Date(someSlot.getTime() - 600_000) })]);
    expect((await again(etag)).status).toBe(200);
  });

  it("compresses for who accepts it", async () => {
    await startWithSensor();
    const plain = await (await api.app.request("/v1/sensors?view=fleet")).text();
    const response = await api.app.request("/v1/sensors?view=fleet", { headers: { "Accept-Encoding": "gzip" } });
    expect(response.headers.get("Content-Encoding")).toBe("gzip");
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(gunzipSync(bytes).toString()).toBe(plain);
    expect(bytes.length).toBeLessThan(plain.length / 2);
  });

  it("answers HEAD like GET without a body, and OPTIONS with what there is", async () => {
    await startWithSensor();
    const head = await api.app.request("/v1/sensors/a", { method: "HEAD" });
    expect([head.status, await head.text(), head.headers.get("Content-Type")]).toEqual([200, "", "application/json"]);
    expect((await api.app.request("/v1/sensors/ghost", { method: "HEAD" })).status).toBe(404);
    const options = await api.app.request("/v1/forecasts", { method: "OPTIONS" });
    expect([options.status, options.headers.get("Allow")]).toEqual([204, expect.stringContaining("POST")]);
    expect((await api.app.request("/nowhere", { method: "OPTIONS" })).status).toBe(404);
  });

  it("lets dashboards of the named origins in, and no other", async () => {
    await startWithSensor({ settings: { allowedOrigins: [dashboard] } });
    const allowed = async (origin: string) =>
      (await api.app.request("/v1/sensors", { headers: { Origin: origin } })).headers.get(
        "Access-Control-Allow-Origin",
      );
    expect(await allowed(dashboard)).toBe(dashboard);
    expect(await allowed("https://evil.example")).toBeNull();
    const preflight = await api.app.request("/v1/forecasts", {
      method: "OPTIONS",
      headers: { Origin: dashboard, "Access-Control-Request-Method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("Access-Control-Allow-Headers")).toContain("Authorization");
    const refused = await api.app.request("/v1/sensors/ghost", { headers: { Origin: dashboard } });
    expect(refused.headers.get("Access-Control-Allow-Origin")).toBe(dashboard);
  });

  it("sends the headers that keep a browser safe, on problems too", async () => {
    await startWithSensor();
    for (const path of ["/v1/sensors", "/v1/sensors/ghost", "/reference"]) {
      const { headers } = await api.app.request(path);
      expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
      expect(headers.get("Content-Security-Policy")).toContain("default-src 'none'");
      expect(headers.get("Permissions-Policy")).toContain("camera=()");
    }
  });

  it("lets nobody between keep an answer, nor give it to who asks otherwise", async () => {
    await startWithSensor({ settings: { allowedOrigins: [dashboard] } });
    for (const [path, kept] of [
      ["/v1/sensors", "private, no-cache"],
      ["/v1/sensors/a/forecasts?format=csv", "private, no-cache"],
      ["/openapi.json", "private, no-cache"],
      ["/v1/sensors/ghost", "no-store"],
    ] as const) {
      const { headers } = await api.app.request(path, { headers: { "Accept-Encoding": "gzip", Origin: dashboard } });
      expect([path, headers.get("Cache-Control")]).toEqual([path, kept]);
      const names = headers.get("Vary")!.split(/, */);
      expect(names).toEqual(expect.arrayContaining(["Accept", "Accept-Encoding", "Authorization", "Cookie", "Origin"]));
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it("refuses at once what is more than it can handle, while probes pass", async () => {
    const gate = Promise.withResolvers<void>();
    await startWithSensor({ settings: { lanes: { places: 2 } } });
    const { databaseSize } = api.services.views;
    let waiting = 0;
    api.services.views.databaseSize = async () => {
      waiting++;
      await gate.promise;
      return databaseSize();
    };
    const slow = [api.app.request("/v1/ops"), api.app.request("/v1/ops")];
    await expect.poll(() => waiting).toBe(2);
    const problem = await getProblem(api.app, "/v1/sensors/a", 503);
    expect(problem.code).toBe("overloaded");
    expect((await api.app.request("/healthz")).status).toBe(200);
    expect((await api.app.request("/v1/sensors")).status).toBe(200);
    gate.resolve();
    expect((await Promise.all(slow)).map((response) => response.status)).toEqual([200, 200]);
    expect((await api.app.request("/v1/sensors")).status).toBe(200);
  });
});

describe("heavy reads", () => {
  it("go one behind the other, and leave light ones their places", async () => {
    const gate = Promise.withResolvers<void>();
    await startWithSensor({ settings: { lanes: { heavyPlaces: 1, heavyWaiting: 2 }, revisionMs: 600_000 } });
    // Asks for the revision, so that those below stand in line without waiting for it.
    expect((await api.app.request("/v1/sensors/a")).status).toBe(200);
    let running = 0;
    const { sensorOrder } = api.services.views;
    api.services.views.sensorOrder = async (query) => {
      running++;
      await gate.promise;
      running--;
      return sensorOrder(query);
    };
    const heavy = [1, 2, 3].map((limit) => api.app.request(`/v1/sensors?limit=${limit}`));
    await expect.poll(() => running).toBe(1);
    expect((await getProblem(api.app, "/v1/models", 503)).code).toBe("overloaded");
    expect((await api.app.request("/v1/sensors/a")).status).toBe(200);
    expect(running).toBe(1);
    gate.resolve();
    expect((await Promise.all(heavy)).map((response) => response.status)).toEqual([200, 200, 200]);
    expect((await api.app.request("/v1/models")).status).toBe(200);
  });
});

describe("the log", () => {
  const requests = () => api.log.lines.filter((line) => line.event === "api.request").map((line) => line.fields);

  it("has a line a request, with the id that the client got, and nothing of its headers and query", async () => {
    await startWithSensor({ access: { bootstrapKey: "hidden-key" } });
    const headers = { Authorization: "Bearer hidden-key", Cookie: "hidden" };
    const response = await api.app.request("/v1/sensors?q=hidden", { headers });
    const requestId = response.headers.get("X-Request-Id");
    expect(requests()).toEqual([
      { requestId, method: "GET", path: "/v1/sensors", status: 200, elapsedMs: expect.any(Number) },
    ]);
    expect(JSON.stringify(api.log.lines)).not.toContain("hidden");
  });

  it("leaves out the reads of the demo's dashboard, but not their failures, nor changes", async () => {
    await startWithSensor({ settings: { isDemo: true } });
    await api.app.request("/v1/sensors");
    await api.app.request("/v1/sensors/ghost");
    await api.app.request("/v1/sensors/a:train", { method: "POST" });
    await api.app.request("/healthz");
    expect(requests().map(({ method, status }) => [method, status])).toEqual([
      ["GET", 404],
      ["POST", 202],
    ]);
  });
});

describe("reads", () => {
  it("change nothing", async () => {
    await startWithSensor();
    const tables = ["sensor", "model", "cycle", "outcome", "forecast", "scores", "lease"] as const;
    const dump = async () =>
      Promise.all(tables.map(async (table) => JSON.stringify(await api.db.selectFrom(table).selectAll().execute())));
    const before = await dump();
    for (const path of ["", "/a", "/a/readings", "/a/forecasts", "/a/forecasts?lead=1", "/a/accuracy"]) {
      expect((await api.app.request(`/v1/sensors${path}`)).status).toBe(200);
    }
    for (const path of ["/v1/models", "/v1/models/model-a", "/v1/ops", "/healthz", "/readyz", "/openapi.json"]) {
      await api.app.request(path);
    }
    expect(await dump()).toEqual(before);
  });
});
