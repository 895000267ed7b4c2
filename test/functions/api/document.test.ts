import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { operationOf, rules } from "../../../functions/api/access/table.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { startApi, type TestApi } from "./harness.ts";

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

const Operation = z.object({
  summary: z.string().min(1),
  tags: z.array(z.string()).length(1),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  parameters: z
    .array(z.object({ name: z.string(), in: z.enum(["path", "query"]), required: z.boolean().optional() }))
    .optional(),
  responses: z.record(
    z.string(),
    z.object({ description: z.string(), content: z.record(z.string(), z.object({ schema: z.unknown() })).optional() }),
  ),
});
const Document = z.object({
  openapi: z.literal("3.1.0"),
  info: z.object({ title: z.string(), version: z.string() }),
  paths: z.record(
    z.string(),
    z.record(z.enum(["get", "post", "patch", "put", "delete"]), Operation).or(z.looseObject({})),
  ),
  components: z.object({
    schemas: z.record(z.string(), z.unknown()),
    securitySchemes: z.object({ apiKey: z.unknown() }),
  }),
});

const load = async () => {
  api = await startApi(postgres);
  return Document.parse(await (await api.app.request("/openapi.json")).json());
};

const operationsOf = (document: z.infer<typeof Document>) =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation: Operation.parse(operation) })),
  );

describe("/openapi.json", () => {
  it("describes every route that answers, as it is written", async () => {
    const operations = operationsOf(await load());
    expect(operations.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
      "delete /v1/alert-channels/{id}",
      "delete /v1/alert-rules/{id}",
      "delete /v1/annotations/{id}",
      "delete /v1/session",
      "get /healthz",
      "get /metrics",
      "get /readyz",
      "get /v1/alert-channels",
      "get /v1/alert-channels/{id}/deliveries",
      "get /v1/alert-rules",
      "get /v1/alert-rules/{id}",
      "get /v1/alerts",
      "get /v1/annotations",
      "get /v1/annotations/{id}",
      "get /v1/audit",
      "get /v1/fleets",
      "get /v1/forecasts",
      "get /v1/keys",
      "get /v1/models",
      "get /v1/models/{id}",
      "get /v1/models/{id}/trial",
      "get /v1/ops",
      "get /v1/sensors",
      "get /v1/sensors/{id}",
      "get /v1/sensors/{id}/accuracy",
      "get /v1/sensors/{id}/forecasts",
      "get /v1/sensors/{id}/readings",
      "get /v1/session",
      "get /v1/session/callback",
      "get /v1/session/sign-in",
      "get /v1/shared-chart",
      "patch /v1/annotations/{id}",
      "patch /v1/sensors/{id}",
      "post /v1/alert-channels",
      "post /v1/alert-channels/{id}:test",
      "post /v1/alert-rules",
      "post /v1/alert-rules:rehearse",
      "post /v1/alerts/{id}:acknowledge",
      "post /v1/annotations",
      "post /v1/annotations/{id}:restore",
      "post /v1/fleets/{id}:promote",
      "post /v1/fleets/{id}:rollback",
      "post /v1/forecasts",
      "post /v1/keys",
      "post /v1/keys/{id}:revoke",
      "post /v1/models/{id}:promote",
      "post /v1/sensors/{id}:rollback",
      "post /v1/sensors/{id}:share",
      "post /v1/sensors/{id}:train",
      "post /v1/session",
      "put /v1/alert-channels/{id}",
      "put /v1/alert-rules/{id}",
    ]);
    const routes = api.app.routes.filter((route) => route.method !== "ALL").map((route) => route.path);
    const described = new Set(["/openapi.json", "/reference", ...operations.map(({ path }) => path)]);
    const written = routes.map((path) =>
      path.replace(/:command\{\[\^\/\]\+(:\w+)\}/, "{id}$1").replaceAll(":id", "{id}"),
    );
    expect(written.filter((path) => !described.has(path))).toEqual([]);
  });

  it("resolves every reference, names each path parameter, and gives each route its problem", async () => {
    const document = await load();
    const names = new Set(Object.keys(document.components.schemas));
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]!);
    expect(references.length).toBeGreaterThan(20);
    expect(references.filter((name) => !names.has(name))).toEqual([]);
    expect(text.match(/"\$ref":"(?!#\/components\/schemas\/)/g)).toBeNull();
    for (const { path, method, operation } of operationsOf(document)) {
      const inPath = operation.parameters?.filter((parameter) => parameter.in === "path").map(({ name }) => name) ?? [];
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
      expect(Object.keys(operation.responses.default?.content ?? {})).toEqual(["application/problem+json"]);
      const scope = rules[`${method} ${path}`]?.scope;
      const wanted = scope === "public" ? [] : [{ apiKey: [scope] }, { session: [scope] }];
      expect([path, operation.security]).toEqual([path, wanted]);
    }
  });

  it("has no named shape that may itself be null, since whoever refers to it says whether it may be", async () => {
    const { components } = await load();
    const Shape = z.looseObject({ type: z.string().or(z.array(z.string())).optional() });
    const shapes = Object.entries(components.schemas).map(([name, shape]) => ({ name, ...Shape.parse(shape) }));
    expect(shapes.filter(({ type }) => type?.includes("null")).map(({ name }) => name)).toEqual([]);
  });
});

describe("the table of scopes", () => {
  it("has every operation that answers, and no other", async () => {
    api = await startApi(postgres);
    const answering = api.app.routes.filter(({ method }) => method !== "ALL");
    const operations = new Set(answering.map(({ method, path }) => operationOf(method, path)));
    expect([...operations].toSorted()).toEqual(Object.keys(rules).toSorted());
  });

  it("answers nobody for a route that is not in it", async () => {
    api = await startApi(postgres);
    api.app.get("/v1/forgotten", (c) => c.json({ secret: 1 }));
    const response = await api.app.request("/v1/forgotten");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    const failed = api.log.lines.find(({ event }) => event === "api.failed");
    expect(String(failed?.fields?.error)).toContain("get /v1/forgotten has no scope");
  });
});

describe("/reference", () => {
  it("shows the contract on one page that loads nothing and runs nothing", async () => {
    const operations = operationsOf(await load());
    const response = await api.app.request("/reference");
    expect(response.headers.get("Content-Type")).toContain("text/html");
    const page = await response.text();
    for (const { path } of operations) expect(page).toContain(path);
    for (const name of ["Forecast", "Sensor", "Problem", "Ops"]) expect(page).toContain(`id="${name}"`);
    expect(page).not.toMatch(/<script|\ssrc=|https?:\/\/|\[object|undefined/);
    const anchors = [...page.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]!);
    expect(anchors.filter((anchor) => !page.includes(`id="${anchor}"`))).toEqual([]);
  });
});
