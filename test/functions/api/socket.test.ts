import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Problem } from "../../../functions/api/contract/common.ts";
import { TrainAccepted } from "../../../functions/api/contract/models.ts";
import { createSite, type HttpServer, listen } from "../../../functions/machine/server.ts";
import { someSlot } from "../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { startApi, type TestApi } from "./harness.ts";

let postgres: TestPostgres;
let api: TestApi;
let server: HttpServer;
let folder: string;

beforeAll(async () => {
  postgres = await startTestPostgres();
  folder = await mkdtemp(join(tmpdir(), "iot-lstm-socket-"));
  await writeFile(join(folder, "index.html"), "<title>Fleet</title>");
});
afterEach(async () => {
  await server.close();
  await api.close();
});
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true });
});

async function start(options: Parameters<typeof startApi>[1] = {}, names: string[] = []) {
  api = await startApi(postgres, options);
  await api.ledger.rememberSensors(["a"], someSlot);
  const address = { host: "127.0.0.1", port: 0 };
  server = await listen(createSite(api.app.fetch, folder, { host: address.host, names }).fetch, address);
  return Number(new URL(server.url).port);
}

/** Sends these bytes and gives back the status and the body, once the server has closed the connection. */
async function send(port: number, ...lines: string[]) {
  const socket = connect(port, "127.0.0.1");
  socket.write(lines.join("\r\n"));
  const answer = await text(socket);
  const [head = "", body = ""] = answer.split(/\r\n\r\n(.*)/s);
  return { status: Number(head.split(" ")[1]), head, body };
}

const asked = (port: number, request: string, ...headers: string[]) =>
  send(port, `${request} HTTP/1.1`, ...headers, "Connection: close", "", "");

describe("a request over the socket", () => {
  it.each([
    ["a method of no name", 400, ["FETCH /v1/sensors HTTP/1.1", "Host: localhost", "", ""]],
    [
      "a length that is no number",
      400,
      ["POST /v1/forecasts HTTP/1.1", "Host: localhost", "Content-Length: -1", "", "{}"],
    ],
    [
      "two lengths",
      400,
      ["POST /v1/forecasts HTTP/1.1", "Host: localhost", "Content-Length: 2", "Content-Length: 3", "", "{}"],
    ],
    ["a header without a name", 400, ["GET /v1/sensors HTTP/1.1", "Host: localhost", ": x", "", ""]],
    ["no HTTP at all", 400, ["hello", "", ""]],
    ["headers without end", 431, ["GET /v1/sensors HTTP/1.1", "Host: localhost", `X: ${"x".repeat(20_000)}`, "", ""]],
  ])("answers %s with a problem, and serves the next", async (_, status, lines) => {
    const port = await start();
    const found = await send(port, ...lines);
    expect(found.status).toBe(status);
    expect(found.head).toContain("Content-Type: application/problem+json");
    const problem = Problem.parse(JSON.parse(found.body));
    expect(problem).toMatchObject({ status });
    expect(problem.detail).toMatch(status === 431 ? /larger than 16384 bytes/ : /no HTTP request that can be read: ./);
    expect((await asked(port, "GET /healthz", `Host: 127.0.0.1:${port}`)).status).toBe(200);
  });

  it.each(["nonsense", '{"name":"a body without a length"}'])(
    "answers what %s follows, and nothing behind it",
    async (rest) => {
      const port = await start();
      const first = `DELETE /v1/annotations/none HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
      const { status, head, body } = await send(port, `${first}${rest}`, "", "");
      expect(status).toBe(404);
      expect(head).toMatch(/^connection: close$/im);
      expect(`${head}${body}`).not.toContain("can be read");
    },
  );

  it("changes something without a Content-Length, as curl -X POST sends it", async () => {
    const port = await start();
    const { status, body } = await asked(port, "POST /v1/sensors/a:train", `Host: 127.0.0.1:${port}`);
    expect(status).toBe(202);
    expect(body).toContain('"queued"');
  });

  it.each(["OPTIONS", "DELETE", "PUT", "PATCH"])("answers %s without a body with what there is", async (method) => {
    const port = await start();
    const { status, head } = await asked(port, `${method} /v1/forecasts`, `Host: localhost:${port}`);
    expect(status).toBe(method === "OPTIONS" ? 204 : 405);
    expect(head).toMatch(/^allow: POST/im);
  });

  it("reads a body in chunks, and refuses one that is too large however it comes", async () => {
    await start();
    const body = (bytes: number) =>
      new ReadableStream({
        start(controller) {
          const chunk = new TextEncoder().encode(" ".repeat(1_000));
          for (let sent = 0; sent < bytes; sent += chunk.length) controller.enqueue(chunk);
          controller.enqueue(new TextEncoder().encode('{"sensorIds":["a"]}'));
          controller.close();
        },
      });
    const post = (of: ReadableStream) =>
      fetch(`${server.url}/v1/forecasts`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: of,
        duplex: "half",
      });
    expect((await post(body(10_000))).status).toBe(202);
    const large = await post(body(100_000));
    expect([large.status, Problem.parse(await large.json()).code]).toEqual([413, "bodyTooLarge"]);
    const train = await fetch(`${server.url}/v1/sensors/a:train`, { method: "POST", body: "{}" });
    expect(TrainAccepted.parse(await train.json()).status).toBe("queued");
  });

  it("says 408 to a body that does not come, and holds no place for it meanwhile", async () => {
    const port = await start({ settings: { lanes: { places: 2 }, bodyDeadlineMs: 200 } });
    const slow = Array.from({ length: 8 }, () =>
      send(port, "POST /v1/forecasts HTTP/1.1", `Host: localhost:${port}`, "Content-Length: 20", "", "{"),
    );
    await expect.poll(() => connections()).toBeGreaterThanOrEqual(8);
    expect((await fetch(`${server.url}/v1/sensors/a`)).status).toBe(200);
    for (const { status, body } of await Promise.all(slow)) {
      expect([status, Problem.parse(JSON.parse(body)).code]).toEqual([408, "bodyTooSlow"]);
    }
  });
});

describe("a request that takes too long", () => {
  const slowly = () => {
    api.services.views.databaseSize = async () => {
      await sql`select pg_sleep(60)`.execute(api.db);
      return { bytes: 0, tables: [] };
    };
  };
  const running = async () => {
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from pg_stat_activity where state = 'active' and query = 'select pg_sleep(60)'`.execute(
      api.db,
    );
    return rows[0]?.n;
  };

  it("is a 504, and its statement is over", async () => {
    await start({ settings: { deadlines: { readMs: 300, writeMs: 300 } } });
    slowly();
    const response = await fetch(`${server.url}/v1/ops`);
    expect([response.status, Problem.parse(await response.json()).code]).toEqual([504, "timeout"]);
    expect(await running()).toBe(0);
  });

  it("ends its statement when the client goes away", async () => {
    await start();
    slowly();
    const leaving = new AbortController();
    const asked = fetch(`${server.url}/v1/ops`, { signal: leaving.signal });
    await expect.poll(running).toBe(1);
    leaving.abort();
    await expect(asked).rejects.toThrow();
    await expect.poll(running).toBe(0);
  });
});

const connections = () =>
  process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap" || name === "TCPWRAP").length / 2;

describe("the host that a request names", () => {
  it.each(["localhost", "127.0.0.1", "[::1]", "app.localhost", "LOCALHOST.", "forecasts.example"])(
    "may be %s",
    async (name) => {
      const port = await start({}, ["forecasts.example"]);
      for (const path of ["/", "/healthz", "/v1/sensors"]) {
        expect((await asked(port, `GET ${path}`, `Host: ${name}:${port}`)).status).toBe(200);
      }
    },
  );

  it.each([
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "192.168.1.5",
    "a@localhost",
    "",
    "[::1",
  ])("may not be %j: a name that somebody points here reads nothing", async (name) => {
    const port = await start();
    for (const request of ["GET /", "GET /v1/sensors", "GET /openapi.json", "POST /v1/sensors/a:train"]) {
      const { status, head, body } = await asked(port, request, `Host: ${name}`);
      expect([400, 421]).toContain(status);
      if (status === 421) expect(head).toContain("application/problem+json");
      expect(body).not.toContain("Fleet");
    }
    expect(api.queue.sent).toEqual([]);
  });
});
