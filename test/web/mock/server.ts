import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { extname, join, normalize } from "node:path";
import { answer } from "./answer.ts";
import type { MockState } from "./state.ts";

/** The whole body. */
async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

export type Mock = { url: string; state: MockState; requests: string[]; close: () => Promise<void> };

/**
 * Serves the dashboard built into `dist` and contract-checked answers on a free port (or `port`); `state` may be
 * changed at any time.
 */
export async function startMock(
  given: Partial<MockState> = {},
  dist: string = new URL("../../../web/dist", import.meta.url).pathname,
  port = 0,
): Promise<Mock> {
  const state: MockState = {
    now: Date.parse("2016-05-04T14:23:20Z"),
    clockSpeed: 60,
    sensors: 9,
    models: 0,
    moreIds: [],
    silentSeconds: 0,
    readingsAhead: 0,
    hasQueues: true,
    deadLetters: 0,
    seldomSensor: null,
    counterSensor: null,
    sourceError: null,
    isAcknowledged: false,
    promotedId: null,
    profiles: {},
    annotations: [],
    sentRules: [],
    channels: [],
    failing: null,
    ...given,
  };
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://mock");
    if (url.pathname.startsWith("/v1/")) {
      requests.push(url.pathname + url.search);
      const sent = await textOf(request);
      const { status, body } = answer(state, url, {
        method: request.method ?? "GET",
        body: sent === "" ? null : JSON.parse(sent),
      });
      response.writeHead(status, { "content-type": status < 300 ? "application/json" : "application/problem+json" });
      response.end(JSON.stringify(body));
      return;
    }
    const file = join(dist, normalize(url.pathname));
    const path = file.startsWith(dist) && extname(file) !== "" && existsSync(file) ? file : join(dist, "index.html");
    response.writeHead(200, { "content-type": contentTypes[extname(path)] ?? "application/octet-stream" });
    response.end(readFileSync(path));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the mock has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    state,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
