import { gunzipSync } from "node:zlib";
import type { LambdaEvent } from "hono/aws-lambda";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ForecastMessage } from "../../../core/messages.ts";
import { Problem } from "../../../functions/api/contract/common.ts";
import { OnDemandResponse } from "../../../functions/api/contract/forecasts.ts";
import { Sensor, SensorPage } from "../../../functions/api/contract/sensors.ts";
import { createApiHandler } from "../../../functions/api.ts";
import { someSlot } from "../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { forecastsOf, outcomeOf, startApi, type TestApi } from "./harness.ts";

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

type Call = {
  query?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  isBase64Encoded?: boolean;
};

/** A function URL's event, payload format 2.0. */
function eventOf(rawPath: string, { query = "", method = "GET", headers = {}, ...rest }: Call = {}): LambdaEvent {
  const domainName = "abc.lambda-url.eu-central-1.on.aws";
  const http = { method, path: rawPath, protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "test" };
  const event = {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString: query,
    headers: { host: domainName, ...headers },
    requestContext: {
      accountId: "anonymous",
      apiId: "abc",
      domainName,
      domainPrefix: "abc",
      http,
      requestId: "r",
      routeKey: "$default",
      stage: "$default",
      time: "01/Mar/2026:12:00:00 +0000",
      timeEpoch: someSlot.getTime(),
    },
    isBase64Encoded: false,
    ...rest,
  };
  return event as unknown as LambdaEvent;
}

async function start(sensorId = "a") {
  api = await startApi(postgres, { access: { bootstrapKey: apiKey, mode: "public-read" } });
  await api.ledger.rememberSensors([sensorId], someSlot);
  await api.ledger.record([outcomeOf({ sensorId })], forecastsOf({ sensorId }));
  const handler = createApiHandler(api.services);
  return async (...given: Parameters<typeof eventOf>) => {
    const { statusCode, headers = {}, body, isBase64Encoded } = await handler(eventOf(...given));
    return { statusCode, headers, body, isBase64Encoded };
  };
}

describe("the API under function URL events", () => {
  it("answers JSON, with the query and odd characters of an id intact", async () => {
    const call = await start("Küche/1 + 2");
    const page = await call("/v1/sensors", { query: "limit=1&q=K%C3%BC" });
    expect([page.statusCode, page.isBase64Encoded]).toEqual([200, false]);
    expect(SensorPage.parse(JSON.parse(page.body)).items).toHaveLength(1);
    const one = await call(`/v1/sensors/${encodeURIComponent("Küche/1 + 2")}`);
    expect(Sensor.parse(JSON.parse(one.body)).sensorId).toBe("Küche/1 + 2");
  });

  it("compresses, in base64 as Lambda wants it", async () => {
    const call = await start();
    const plain = await call("/v1/sensors");
    const packed = await call("/v1/sensors", { headers: { "accept-encoding": "gzip, br" } });
    expect([packed.headers["content-encoding"], packed.isBase64Encoded]).toEqual(["gzip", true]);
    expect(gunzipSync(Buffer.from(packed.body, "base64")).toString()).toBe(plain.body);
  });

  it("answers a bad path and a wrong key with problems", async () => {
    const call = await start();
    for (const [path, statusCode, init] of [
      ["/nowhere", 404, {}],
      ["/v1/sensors/a:train", 401, { method: "POST" }],
      ["/v1/sensors/a:train", 401, { method: "POST", headers: { authorization: "Bearer wrong" } }],
      ["/v1/sensors", 405, { method: "DELETE", headers: { authorization: `Bearer ${apiKey}` } }],
    ] as const) {
      const answer = await call(path, init);
      expect([path, answer.statusCode, answer.headers["content-type"]]).toEqual([
        path,
        statusCode,
        "application/problem+json",
      ]);
      expect(Problem.parse(JSON.parse(answer.body)).status).toBe(statusCode);
    }
  });

  it("hands forecasts on demand to the queue in the form that the forecast function reads", async () => {
    const call = await start();
    api.clock.advance(600);
    const headers = { "content-type": "application/json", authorization: `Bearer ${apiKey}` };
    const body = Buffer.from(JSON.stringify({ sensorIds: ["a"] })).toString("base64");
    const ask = () => call("/v1/forecasts", { method: "POST", headers, body, isBase64Encoded: true });
    const [first] = [await ask(), await ask()];
    expect(first.statusCode).toBe(202);
    expect(OnDemandResponse.parse(JSON.parse(first.body)).items[0]!.status).toBe("queued");
    expect(api.queue.sent).toHaveLength(1);
    expect(ForecastMessage.parse(api.queue.sent[0]!.message.body)).toEqual({ slot: api.clock.now(), sensorIds: ["a"] });
  });
});
