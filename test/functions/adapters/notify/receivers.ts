import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { ChannelSettings, OpenChannel } from "../../../../core/alert/channel.ts";
import type { Batch } from "../../../../core/alert/outbox.ts";
import type { Notice } from "../../../../core/alert/ports.ts";
import { someSlot } from "../../../builders.ts";

export type Received = { path: string; headers: IncomingHttpHeaders; body: string };

/** A real HTTP server that keeps what it is sent; `answer` may be another than 200. */
export async function startReceiver(
  answer: (nth: number) => { status: number; headers?: Record<string, string> } = () => ({ status: 200 }),
) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ path: request.url ?? "", headers: request.headers, body });
      const { status, headers = {} } = answer(received.length);
      response.writeHead(status, headers).end("thanks");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { received, port, url: `http://127.0.0.1:${port}/hook`, close };
}

export function noticeOf(overrides: Partial<Notice> = {}): Notice {
  return {
    idempotencyKey: "k1",
    kind: "fired",
    at: someSlot.toISOString(),
    severity: "warning",
    rule: { ruleId: "r1", name: "too warm" },
    sensor: { sensorId: "a/1", name: "Attic", group: null, place: null },
    text: "Attic: temperature above 26 °C from about 19:10 UTC, 35 %",
    evidence: { target: "temperature", chance: 0.35 },
    ...overrides,
  };
}

export function batchOf(notices: Notice[] = [noticeOf()], key = notices[0]!.idempotencyKey): Batch {
  return { key, notices, total: notices.length, attempts: 0 };
}

export function channelOf(settings: ChannelSettings, secret: string | null = null): OpenChannel {
  const head = { channelId: "c1", name: "c", isEnabled: true, hasSecret: secret !== null };
  return { ...head, settings, secret, createdAt: someSlot, createdBy: "t" };
}
