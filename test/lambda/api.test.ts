import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addSeconds, floorToStep } from "../../core/time.ts";
import { edgeHeader, edgeSecretOf } from "../../functions/lambda/edge.ts";
import { eventOf } from "../sqs-events.ts";
import { apiKey, type Cloud, startCloud } from "./cloud.ts";
import type { Lambda } from "./lambda.ts";

type Response = { statusCode: number; headers: Record<string, string>; body: string; isBase64Encoded: boolean };

const slot = floorToStep(addSeconds(new Date(), -600), 600);

let cloud: Cloud;
let api: Lambda;
let edgeSecret = "";
const bearer = { authorization: `Bearer ${apiKey}` };
beforeAll(async () => {
  cloud = await startCloud();
  await cloud.seed(["attic", "cellar"], slot, 9 * 86_400);
  const forecast = await cloud.start("forecast");
  const body = JSON.stringify({ slot: slot.toISOString(), sensorIds: ["attic", "cellar"] });
  await cloud.linked.query("insert into sensor select unnest(array['attic', 'cellar']), now()");
  await forecast.invoke(eventOf([{ MessageId: "1", Body: body }]));
  api = await cloud.start("api");
  edgeSecret = await edgeSecretOf(apiKey);
});
afterAll(() => cloud.stop());

/** A request as a function URL (payload 2.0) hands it over. */
async function ask(
  method: string,
  path: string,
  headers: Record<string, string> = bearer,
  body?: unknown,
): Promise<Response> {
  const http = { method, path, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "test" };
  const answer = await api.invoke({
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: "",
    headers: {
      host: "stand-in.lambda-url.eu-central-1.on.aws",
      "content-type": "application/json",
      [edgeHeader]: edgeSecret,
      ...headers,
    },
    requestContext: { http, domainName: "stand-in.lambda-url.eu-central-1.on.aws", stage: "$default", requestId: "1" },
    body: body === undefined ? undefined : JSON.stringify(body),
    isBase64Encoded: false,
  });
  if (answer.ok) return answer.result as Response;
  throw new Error(`${answer.error.errorMessage}\n${api.output()}`);
}

test("answers gzipped to who can read it", async () => {
  const answer = await ask("GET", "/v1/sensors", { ...bearer, "accept-encoding": "gzip" });
  expect(answer).toMatchObject({ statusCode: 200, isBase64Encoded: true });
  expect(answer.headers["content-encoding"]).toBe("gzip");
  const { items } = JSON.parse(gunzipSync(Buffer.from(answer.body, "base64")).toString());
  expect(items.map((item: { sensorId: string }) => item.sensorId)).toEqual(["attic", "cellar"]);
});

test("serves every path that the router leads to it", async () => {
  for (const path of ["/v1/models", "/healthz", "/readyz", "/openapi.json", "/reference"]) {
    expect((await ask("GET", path)).statusCode, path).not.toBe(404);
  }
});

test("answers a path that is not there with a problem", async () => {
  const answer = await ask("GET", "/v1/nothing");
  expect(answer.statusCode).toBe(404);
  expect(answer.headers["content-type"]).toContain("application/problem+json");
  expect(JSON.parse(answer.body)).toMatchObject({ status: 404, code: "notFound" });
});

test("refuses a wrong key and none, and queues the work of the right one", async () => {
  const request = { sensorIds: ["attic"] };
  expect(
    (await ask("POST", "/v1/forecasts", { authorization: "Bearer the-wrong-key-of-the-api" }, request)).statusCode,
  ).toBe(401);
  expect((await ask("POST", "/v1/forecasts", {}, request)).statusCode).toBe(401);
  expect(await cloud.receive("forecast")).toEqual([]);

  const answer = await ask("POST", "/v1/forecasts", { authorization: `Bearer ${apiKey}` }, request);
  expect([200, 202]).toContain(answer.statusCode);
  const bodies = (await cloud.receive("forecast")).map(({ Body }) => JSON.parse(Body ?? ""));
  expect(bodies.flatMap((body) => body.sensorIds)).toEqual(["attic"]);
});

test("reads nothing out to who has no key, and answers nobody who goes round the edge", async () => {
  expect((await ask("GET", "/v1/sensors", {})).statusCode).toBe(401);
  expect((await ask("GET", "/healthz", {})).statusCode).toBe(200);
  for (const secret of ["", "guess"]) {
    expect((await ask("GET", "/healthz", { ...bearer, [edgeHeader]: secret })).statusCode).toBe(403);
  }
});

test("prints no secret", () => {
  for (const secret of [apiKey, "reader:reader", "postgres:test"]) expect(api.output()).not.toContain(secret);
});
