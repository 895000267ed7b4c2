import { randomUUID } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What the function answered: its result, or the error that it threw. */
export type Answer = { ok: true; result: unknown } | { ok: false; error: { errorType: string; errorMessage: string } };

/** Lambda's side of the Runtime API: hands events to one runtime client, one at a time, and takes its answers. */
export type RuntimeApi = {
  host: string;
  /** Resolves when the client asks for its first event: init is over. Rejects when it reports an init error. */
  ready: Promise<void>;
  /** Hands over one event; `deadlineMs` from now is what the handler's context says. */
  invoke(event: unknown, deadlineMs: number): Promise<Answer>;
  close(): void;
};

const prefix = "/2018-06-01/runtime";

/** Starts a stand-in for Lambda's Runtime API on a free port. */
export async function startRuntimeApi(): Promise<RuntimeApi> {
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  const queue: { id: string; body: string; deadline: number }[] = [];
  const answers = new Map<string, (answer: Answer) => void>();
  let waiting: ServerResponse | null = null;

  function hand() {
    const next = waiting && queue.shift();
    if (!next || !waiting) return;
    waiting.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": next.id,
      "lambda-runtime-deadline-ms": String(next.deadline),
      "lambda-runtime-invoked-function-arn": "arn:aws:lambda:eu-central-1:123456789012:function:stand-in",
      "lambda-runtime-trace-id": "Root=1-00000000-000000000000000000000000;Sampled=0",
    });
    waiting.end(next.body);
    waiting = null;
  }

  const server = createServer(async (request, response) => {
    const path = (request.url ?? "").slice(prefix.length);
    if (path === "/invocation/next") {
      ready.resolve();
      waiting = response;
      response.on("close", () => {
        if (waiting === response) waiting = null;
      });
      return hand();
    }
    const body = await text(request);
    response.writeHead(202).end("{}");
    if (path === "/init/error") return ready.reject(new Error(body));
    const [, , id = "", kind] = path.split("/");
    const answer = answers.get(id);
    answers.delete(id);
    if (kind === "response") answer?.({ ok: true, result: body === "" ? null : JSON.parse(body) });
    if (kind === "error") answer?.({ ok: false, error: JSON.parse(body) });
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ready: ready.promise,
    invoke(event, deadlineMs) {
      const id = randomUUID();
      const { promise, resolve } = Promise.withResolvers<Answer>();
      answers.set(id, resolve);
      queue.push({ id, body: JSON.stringify(event), deadline: Date.now() + deadlineMs });
      hand();
      return promise;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
