import { Agent, request as send } from "node:http";
import { text } from "node:stream/consumers";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { addSeconds } from "../../../core/time.ts";
import { createSite, type HttpServer, listen } from "../../../functions/machine/server.ts";
import { manifestOf, someSlot } from "../../builders.ts";
import { hostileIds } from "../../hostile-ids.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { forecastsOf, outcomeOf, scoreOf, startApi, type TestApi } from "./harness.ts";

/** In all; the full number takes a minute or two of CPU. */
const requests = Number(process.env.FUZZ_REQUESTS ?? 20_000);
const atOnce = 20;
const seed = Number(process.env.FUZZ_SEED ?? 13);

let postgres: TestPostgres;
let api: TestApi;
let server: HttpServer;
const agent = new Agent({ keepAlive: true, maxSockets: atOnce });

beforeAll(async () => {
  postgres = await startTestPostgres();
  const wild = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e308, 20, 21];
  const at = Float64Array.from(wild, (_, i) => addSeconds(someSlot, -600 * (i + 1)).getTime()).toSorted();
  const readings = { at, values: { temperature: Float64Array.from(wild), humidity: Float64Array.from(wild) } };
  api = await startApi(postgres, { readings: new Map(hostileIds.map((id) => [id, readings])) });
  await api.ledger.openCycle({ slot: someSlot, sensors: hostileIds.length, shards: 1, now: someSlot });
  await api.ledger.rememberSensors(hostileIds, someSlot);
  await api.ledger.record(
    hostileIds.map((sensorId) => outcomeOf({ sensorId })),
    hostileIds.flatMap((sensorId) => forecastsOf({ sensorId, unit: "<b>" })),
  );
  await api.ledger.closeFanOut(someSlot, someSlot);
  await api.ledger.finishCycles(someSlot, someSlot);
  await api.scores.record(hostileIds.map((sensorId) => scoreOf({ sensorId })));
  for (const [index, sensorId] of hostileIds.slice(0, 4).entries()) {
    const manifest = manifestOf({ modelId: `model-${index}`, sensorId });
    await api.registry.register({ manifest, statusReason: "<i>first</i>", now: someSlot });
  }
  const site = createSite((request, env) => api.app.fetch(request, env), "/nowhere", { host: "127.0.0.1", names: [] });
  server = await listen(site.fetch, { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  agent.destroy();
  await server.close();
  await api.close();
  await postgres.stop();
});

const Parameter = z.looseObject({
  name: z.string(),
  in: z.enum(["path", "query"]),
  schema: z
    .looseObject({ type: z.string().optional(), enum: z.array(z.string()).optional(), format: z.string().optional() })
    .optional(),
});
const Operation = z.looseObject({
  parameters: z.array(Parameter).default([]),
  requestBody: z.unknown().optional(),
  responses: z.record(z.string(), z.looseObject({ content: z.record(z.string(), z.unknown()).optional() })),
});
type Operation = z.infer<typeof Operation>;
const Document = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), Operation)) });

type Request = {
  operation: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | null;
};

const segment = (id: string) => encodeURIComponent(/^~*\.{1,2}$/.test(id) ? `~${id}` : id);
const junk = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom(
    "",
    "\0",
    "0",
    "-1",
    "1e9",
    "NaN",
    "null",
    "[]",
    "{}",
    "9999-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
  ),
  fc.constantFrom(
    "+294276-12-31T00:00:00Z",
    "../../etc/passwd",
    "{{7*7}}",
    "x".repeat(1000),
    "true",
    "json,csv",
    "é\u0301",
  ),
);
const time = fc
  .date({ min: new Date("2026-02-20T00:00:00Z"), max: new Date("2026-03-03T00:00:00Z"), noInvalidDate: true })
  .map((at) => at.toISOString());
const id = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...hostileIds, "model-0", "model-1") },
  junk.filter((text) => text.isWellFormed()),
);

function valuesOf({ name, schema }: z.infer<typeof Parameter>): fc.Arbitrary<string> {
  const typed = schema?.enum
    ? fc.constantFrom(...schema.enum)
    : schema?.format === "date-time"
      ? time
      : schema?.type === "integer"
        ? fc.integer({ min: 1, max: 48 }).map(String)
        : name === "target"
          ? fc.constantFrom("temperature", "humidity")
          : id;
  return fc.oneof({ weight: 3, arbitrary: typed }, { weight: 1, arbitrary: junk });
}

const bodies = fc.oneof(
  fc.record({ reason: fc.string({ unit: "binary", maxLength: 600 }) }),
  fc.record({ sensorIds: fc.array(id, { maxLength: 5 }) }),
  fc.record({
    name: fc.string({ maxLength: 120 }),
    scopes: fc.array(fc.constantFrom("read", "ops"), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ key: junk }),
  fc.record({ link: junk }),
  fc.jsonValue(),
);

const headers = fc.record(
  {
    Accept: fc.constantFrom("application/json", "text/csv", "*/*", "text/html;q=0.1", ",,;"),
    "Accept-Encoding": fc.constantFrom("gzip", "br", "identity", "*;q=0"),
    "If-None-Match": fc.constantFrom("*", '"x"', 'W/"x"', "x"),
    Range: fc.constant("bytes=0-1"),
    Origin: fc.constantFrom("https://evil.example", "null"),
    "Sec-Fetch-Site": fc.constantFrom("same-origin", "same-origin", "cross-site"),
    Cookie: fc.constantFrom("__Host-session=x", "__Host-sign-in=e30", "a=b; a=c", "=", "__proto__=1"),
    "Content-Type": fc.constantFrom(
      "application/json",
      "text/plain",
      "application/json; charset=latin1",
      "multipart/form-data",
    ),
    "X-Forwarded-For": fc.constantFrom("::1", "x"),
    "X-Request-Id": fc.constantFrom("abc", "x".repeat(300), "<b>"),
  },
  { requiredKeys: [] },
);

function requestsOf(operations: [string, Operation][], otherMethods: string[]): fc.Arbitrary<Request> {
  return fc.constantFrom(...operations).chain(([name, operation]) => {
    const [method = "", path = ""] = name.split(" ");
    const values = Object.fromEntries(operation.parameters.map((one) => [`${one.in} ${one.name}`, valuesOf(one)]));
    const required = operation.parameters.filter((one) => one.in === "path").map((one) => `path ${one.name}`);
    const hasBody = operation.requestBody !== undefined;
    return fc
      .record({
        values: fc.record(values, { requiredKeys: required }),
        headers,
        method: fc.oneof({ weight: 30, arbitrary: fc.constant(method) }, fc.constantFrom(...otherMethods)),
        body: fc.oneof({ weight: 8, arbitrary: bodies.map((body) => JSON.stringify(body)) }, junk),
      })
      .map(({ values: given, headers: sent, method: asked, body }) => {
        const query = new URLSearchParams();
        let written = path;
        for (const [key, value] of Object.entries(given as Record<string, string>)) {
          const [place, parameter = ""] = key.split(" ");
          if (place === "path") written = written.replace(`{${parameter}}`, () => segment(value.toWellFormed()));
          else query.append(parameter, value.toWellFormed());
        }
        const isRead = asked === "get" || asked === "head" || asked === "options";
        const json = { "Content-Type": "application/json", ...sent };
        return {
          operation: name,
          method: asked.toUpperCase(),
          path: query.size === 0 ? written : `${written}?${query}`,
          headers: hasBody ? json : sent,
          body: isRead ? null : body,
        };
      });
  });
}

async function ask({ method, path, headers: sent, body }: Request) {
  const { hostname, port } = new URL(server.url);
  return new Promise<{ status: number; type: string; body: string }>((resolve, reject) => {
    const asked = send({ agent, hostname, port, method, path, headers: sent }, async (answer) => {
      const type = answer.headers["content-type"] ?? "";
      const isPacked = answer.headers["content-encoding"] !== undefined;
      const read = await text(answer).catch(reject);
      resolve({ status: answer.statusCode ?? 0, type, body: isPacked ? "" : (read ?? "") });
    });
    asked.on("error", reject);
    asked.end(body ?? undefined);
  });
}

const leaks = /node_modules|\.ts:\d|\bselect \w+ from|postgres(ql)?:\/\/|at async /i;

async function openDocument() {
  const answer = await ask({ operation: "", method: "GET", path: "/openapi.json", headers: {}, body: null });
  const document = Document.parse(JSON.parse(answer.body));
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, "document");
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
  );
  const pointerPart = (part: string) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
  /** What the contract has against an answer; null where it is as promised. */
  function mismatch(operation: string, status: number, type: string, body: string): string | null {
    const [method = "", path = ""] = operation.split(" ");
    const responses = document.paths[path]?.[method]?.responses ?? {};
    const key = responses[String(status)] === undefined ? "default" : String(status);
    const media = type.split(";")[0] ?? "";
    if (responses[key]?.content === undefined && status < 400) return null;
    if (responses[key]?.content?.[media] === undefined) return `${status} as ${type}, which the contract does not have`;
    if (media === "application/x-ndjson") for (const line of body.trim().split("\n").filter(Boolean)) JSON.parse(line);
    if (!/[/+]json$/.test(media) || body === "") return null;
    const pointer = ["paths", path, method, "responses", key, "content", media, "schema"].map(pointerPart).join("/");
    const check = ajv.getSchema(`document#/${pointer}`);
    if (check === undefined) return `no schema at ${pointer}`;
    return check(JSON.parse(body)) ? null : ajv.errorsText(check.errors);
  }
  return { operations, mismatch };
}

async function fuzz({ operations, mismatch }: Awaited<ReturnType<typeof openDocument>>, otherMethods: string[]) {
  const statuses = new Map<number, number>();
  const batch = fc.array(requestsOf(operations, otherMethods), { minLength: atOnce, maxLength: atOnce });
  await fc.assert(
    fc.asyncProperty(batch, async (all) => {
      const answers = await Promise.all(all.map(ask));
      for (const [i, { status, type, body }] of answers.entries()) {
        const { operation, method } = all[i]!;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        expect(status, body).toBeLessThan(500);
        expect(body).not.toMatch(leaks);
        const isAsWritten = operation.startsWith(`${method.toLowerCase()} `);
        if (isAsWritten && status !== 304 && status !== 400) expect(mismatch(operation, status, type, body)).toBeNull();
      }
    }),
    { numRuns: Math.ceil(requests / 2 / atOnce), seed, endOnFailure: true },
  );
  return statuses;
}

const tables = ["sensor", "model", "cycle", "outcome", "forecast", "scores", "lease", "api_key", "session"] as const;
const dump = () =>
  Promise.all(tables.map(async (table) => JSON.stringify(await api.db.selectFrom(table).selectAll().execute())));

describe("requests made from the contract, over the socket", () => {
  it(`read without a fault, as promised, and change nothing (${requests / 2} requests)`, async () => {
    const contract = await openDocument();
    const operations = contract.operations.filter(([name]) => name.startsWith("get "));
    const before = await dump();
    const statuses = await fuzz({ ...contract, operations }, ["head", "options"]);
    expect(statuses.get(200) ?? 0).toBeGreaterThan(requests / 20);
    expect(await dump()).toEqual(before);
  }, 600_000);

  it(`change without a fault and as promised (${requests / 2} requests)`, async () => {
    const statuses = await fuzz(await openDocument(), ["head", "options", "put", "delete", "post", "patch"]);
    expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 201, 202, 404, 405, 422]));
  }, 600_000);
});

describe("hostile values of the follower", () => {
  const get = (path: string, accept = "application/json") =>
    ask({ operation: "", method: "GET", path, headers: { Accept: accept }, body: null });

  it.each(hostileIds)("the sensor %j comes back as it is, and as JSON or CSV only", async (sensorId) => {
    const one = await get(`/v1/sensors/${segment(sensorId)}`);
    expect([one.status, one.type]).toEqual([200, "application/json"]);
    expect(JSON.parse(one.body).sensorId).toBe(sensorId);
    const csv = await get(`/v1/sensors/${segment(sensorId)}/forecasts`, "text/csv");
    expect([csv.status, csv.type]).toEqual([200, "text/csv; charset=utf-8"]);
    for (const line of csv.body.split("\r\n").slice(1)) expect(line).not.toMatch(/^[=+\-@\uff1d]/);
    const readings = JSON.parse((await get(`/v1/sensors/${segment(sensorId)}/readings`)).body);
    for (const value of readings.targets[0].value) expect(value === null || Math.abs(value) < 100).toBe(true);
  });
});
