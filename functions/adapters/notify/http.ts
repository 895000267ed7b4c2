import { createHmac } from "node:crypto";
import type { Batch, Sender, Sent } from "../../../core/alert/outbox.ts";
import type { Clock } from "../../../core/ports.ts";
import { guardedPost, type PrivateHosts } from "./guarded.ts";
import { bodyOf, titleOf } from "./text.ts";

/** What the senders over HTTP go by. */
export type HttpOptions = { privateHosts: PrivateHosts; wall: Pick<Clock, "now"> };

/**
 * A webhook: JSON, signed as Standard Webhooks say (HMAC-SHA256 over id, time and body; standardwebhooks.com), so that
 * their libraries verify it. The id is the idempotency key.
 */
export function webhookSender({ privateHosts, wall }: HttpOptions): Sender {
  return async ({ settings, secret }, batch) => {
    if (settings.kind !== "webhook" || secret === null) return noSecret;
    const body = JSON.stringify({ idempotencyKey: batch.key, total: batch.total, notices: batch.notices });
    const seconds = String(Math.floor(wall.now().getTime() / 1000));
    const headers = {
      "Content-Type": "application/json",
      "User-Agent": "iot-lstm-predictor",
      "Idempotency-Key": batch.key,
      "webhook-id": batch.key,
      "webhook-timestamp": seconds,
      "webhook-signature": signatureOf(secret, batch.key, seconds, body),
    };
    return toSent(await guardedPost(settings.url, headers, body, privateHosts));
  };
}

/** "v1,BASE64": the signature of a webhook's id, time in seconds and body. A secret of "whsec_..." is base64. */
export function signatureOf(secret: string, id: string, seconds: string, body: string): string {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);
  return `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`;
}

/** Slack's incoming webhook, whose URL is the secret. */
export function slackSender({ privateHosts }: HttpOptions): Sender {
  return ({ secret }, batch) =>
    postText(secret, { text: `*${escapeSlack(titleOf(batch))}*\n${escapeSlack(bodyOf(batch))}` }, privateHosts);
}

/** Teams' incoming webhook (a workflow that takes an adaptive card), whose URL is the secret. */
export function teamsSender({ privateHosts }: HttpOptions): Sender {
  return ({ secret }, batch) => {
    const block = (text: string, more: object) => ({ type: "TextBlock", text, wrap: true, ...more });
    const lines = [
      block(titleOf(batch), { weight: "Bolder" }),
      ...bodyOf(batch)
        .split("\n")
        .map((line) => block(line, { spacing: "Small" })),
    ];
    const content = {
      $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
      type: "AdaptiveCard",
      version: "1.4",
      body: lines,
    };
    const attachment = { contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content };
    return postText(secret, { type: "message", attachments: [attachment] }, privateHosts);
  };
}

async function postText(url: string | null, body: object, privateHosts: PrivateHosts): Promise<Sent> {
  if (url === null) return noSecret;
  return toSent(await guardedPost(url, { "Content-Type": "application/json" }, JSON.stringify(body), privateHosts));
}

const noSecret: Sent = { isOk: false, isFinal: true, detail: "the channel has no secret" };

function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** What a receiver's answer means. 4xx is final but for those that ask for patience; redirects are not followed. */
function toSent(answer: Awaited<ReturnType<typeof guardedPost>>): Sent {
  if ("refused" in answer) return { isOk: false, isFinal: true, detail: answer.refused };
  const { status, body } = answer;
  const detail = `${status}${body === "" ? "" : `: ${body.slice(0, 200)}`}`;
  if (status >= 200 && status < 300) return { isOk: true, detail };
  const isPatient = status >= 500 || [401, 403, 404, 408, 409, 423, 425, 429].includes(status);
  return { isOk: false, isFinal: !isPatient, detail };
}

export type { Batch };
