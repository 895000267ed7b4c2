import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ApiError, createClient } from "../../../web/client/client.ts";
import { readRetryAfter } from "../../../web/client/problem.ts";
import { someSlot } from "../../builders.ts";
import { forecastsOf } from "../../functions/api/harness.ts";
import { hostileIds } from "../../hostile-ids.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { startListening, startScripted } from "./server.ts";

let postgres: TestPostgres;
let api: Awaited<ReturnType<typeof startListening>>;
const statuses: number[] = [];
const watched: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  statuses.push(response.status);
  return response;
};

beforeAll(async () => {
  postgres = await startTestPostgres();
  api = await startListening(postgres);
});
afterAll(async () => {
  await api.close();
  await postgres.stop();
});

const failureOf = async (asked: Promise<unknown>): Promise<ApiError> => {
  const error = await asked.then(
    () => new Error("it was answered"),
    (caught: unknown) => caught,
  );
  if (error instanceof ApiError) return error;
  throw error;
};
const json = (status: number, body: unknown, headers: Record<string, string> = {}) => {
  return (_: unknown, response: import("node:http").ServerResponse) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
};
const busy = (status: number) =>
  json(status, { title: "Busy", detail: "later", status, code: "overloaded" }, { "retry-after": "0" });

describe("a request", () => {
  it.each(hostileIds)("reaches the sensor %j", async (id) => {
    const client = createClient({ url: api.url });
    expect((await client.get("/v1/sensors/{id}", { path: { id } })).sensorId).toBe(id);
  });

  it("that is refused throws what the API says of it", async () => {
    const asked = createClient({ url: api.url }).get("/v1/sensors/{id}", { path: { id: "nobody" } });
    const error = await failureOf(asked);
    expect(error).toMatchObject({ kind: "problem", status: 404, problem: { code: "notFound" } });
    expect(error.message).toBe(`GET /v1/sensors/nobody: ${error.problem?.detail}`);
  });

  it("carries the key, and says that a wrong one is wrong", async () => {
    const error = await failureOf(createClient({ url: api.url, key: "ilp_no" }).get("/v1/models"));
    expect(error).toMatchObject({ status: 401, problem: { detail: "the API key is wrong" } });
  });

  it("changes what it is to change", async () => {
    const client = createClient({ url: `${api.url}/` });
    const id = hostileIds[0]!;
    await client.patch("/v1/sensors/{id}", { path: { id }, body: { name: "attic" } });
    expect((await client.get("/v1/sensors/{id}", { path: { id } })).profile.name).toBe("attic");
  });
});

describe("lists and streams", () => {
  it("are walked page by page, each page when it is wanted", async () => {
    const client = createClient({ url: api.url, fetch: watched });
    const walked: string[] = [];
    statuses.length = 0;
    for await (const { sensorId } of client.each("/v1/sensors", { query: { limit: 2, sort: "sensorId" } })) {
      walked.push(sensorId);
      if (walked.length === 3) expect(statuses).toEqual([200, 200]);
    }
    expect(walked.toSorted()).toEqual(hostileIds.toSorted());
  });

  it("are read line by line", async () => {
    const read: string[] = [];
    for await (const line of createClient({ url: api.url }).lines("/v1/forecasts", { query: { target: "humidity" } })) {
      expect(line.q50).toEqual(forecastsOf()[1]!.q50);
      read.push(line.sensorId);
    }
    expect(read.toSorted()).toEqual(hostileIds.toSorted());
  });

  it("that break off are not taken for whole", async () => {
    await using server = await startScripted([(_, response) => void response.end('{"sensorId":"a"}\n{"sens')]);
    const read: string[] = [];
    const reading = (async () => {
      for await (const { sensorId } of createClient({ url: server.url }).lines("/v1/forecasts")) read.push(sensorId);
    })();
    await expect(reading).rejects.toThrow("broke off");
    expect(read).toEqual(["a"]);
  });

  it("come as CSV", async () => {
    const query = { origin: someSlot.toISOString() };
    const text = await createClient({ url: api.url }).csv("/v1/sensors/{id}/forecasts", {
      path: { id: "a/b/../c" },
      query,
    });
    expect(text.split("\r\n")[0]).toMatch(/^sensorId,target,unit,origin/);
  });
});

describe("answers with an ETag", () => {
  it("are not sent again while nothing changes, and nobody's changes of one reach the next", async () => {
    const client = createClient({ url: api.url, fetch: watched });
    statuses.length = 0;
    const first = await client.get("/v1/fleets");
    first.items = [];
    Object.assign(first, { spoilt: true });
    expect(await client.get("/v1/fleets")).toEqual({ items: [] });
    expect(statuses).toEqual([200, 304]);
  });

  it("are asked for anew when they have changed", async () => {
    const client = createClient({ url: api.url, fetch: watched });
    const path = { id: hostileIds[1]! };
    await client.get("/v1/sensors/{id}", { path });
    await client.patch("/v1/sensors/{id}", { path, body: { name: "cellar" } });
    statuses.length = 0;
    expect((await client.get("/v1/sensors/{id}", { path })).profile.name).toBe("cellar");
    expect(statuses).toEqual([200]);
  });
});

describe("what is refused for now", () => {
  it.each([429, 503])("with %i is asked for again, when the API says", async (status) => {
    await using server = await startScripted([busy(status), busy(status), json(200, { items: [] })]);
    expect(await createClient({ url: server.url }).get("/v1/fleets")).toEqual({ items: [] });
    expect(server.asked).toHaveLength(3);
  });

  it("is given up after so many tries, with the last answer", async () => {
    await using server = await startScripted([busy(429)]);
    const error = await failureOf(createClient({ url: server.url, retries: 2 }).get("/v1/fleets"));
    expect(error).toMatchObject({ status: 429, retryAfterSeconds: 0 });
    expect(server.asked).toHaveLength(3);
  });

  it("is not waited for longer than one will", async () => {
    await using server = await startScripted([json(429, {}, { "retry-after": "3600" })]);
    const error = await failureOf(createClient({ url: server.url }).get("/v1/fleets"));
    expect(error).toMatchObject({ status: 429, retryAfterSeconds: 3600 });
    expect(server.asked).toHaveLength(1);
  });

  it("is not done twice: a POST is sent again after 429 alone", async () => {
    const asking = async (url: string) => createClient({ url }).post("/v1/forecasts", { body: { sensorIds: ["a"] } });
    await using unavailable = await startScripted([busy(503), json(200, {})]);
    expect(await failureOf(asking(unavailable.url))).toMatchObject({ status: 503 });
    expect(unavailable.asked).toHaveLength(1);
    await using limited = await startScripted([busy(429), json(200, { items: [] })]);
    expect(await asking(limited.url)).toEqual({ items: [] });
  });

  it("ends with the caller, also while it waits", async () => {
    await using server = await startScripted([json(429, {}, { "retry-after": "20" })]);
    const stop = new AbortController();
    const asked = createClient({ url: server.url }).get("/v1/fleets", { signal: stop.signal });
    await expect.poll(() => server.asked.length).toBe(1);
    stop.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });

  it("says when in seconds or as a date", () => {
    const at = Date.parse("2026-03-01T12:00:00Z");
    const headers = ["120", "Sun, 01 Mar 2026 12:00:30 GMT", "Sun, 01 Mar 2026 11:00:00 GMT", "soon", null];
    expect(headers.map((header) => readRetryAfter(header, at))).toEqual([120, 30, 0, null, null]);
  });
});

describe("what does not answer", () => {
  it("in time", async () => {
    await using server = await startScripted([() => {}]);
    const error = await failureOf(createClient({ url: server.url, timeoutMs: 50 }).get("/v1/fleets"));
    expect(error).toMatchObject({ kind: "timeout", status: null });
  });

  it("at all", async () => {
    const server = await startScripted([]);
    await server[Symbol.asyncDispose]();
    expect(await failureOf(createClient({ url: server.url }).get("/v1/fleets"))).toMatchObject({ kind: "unreachable" });
  });

  it("in JSON", async () => {
    await using server = await startScripted([(_, response) => void response.end("<!doctype html>")]);
    const error = await failureOf(createClient({ url: server.url }).get("/v1/fleets"));
    expect(error).toMatchObject({ kind: "unreadable", status: 200 });
  });
});
