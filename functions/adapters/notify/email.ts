import type { Sender } from "../../../core/alert/outbox.ts";
import { bodyOf, oneLine, titleOf } from "./text.ts";

export type EmailOptions = { smtpUrl: string | null; from: string };

const timeoutMs = 10_000;

/** Mail by an SMTP server, or by SES where there is none. The idempotency key makes the Message-ID. */
export async function emailSender({ smtpUrl, from }: EmailOptions): Promise<Sender> {
  const transport = await openTransport(smtpUrl);
  return async ({ settings }, batch) => {
    if (settings.kind !== "email") return { isOk: false, isFinal: true, detail: "the channel is none of mail" };
    const domain = /@([\w.-]+)/.exec(from)?.[1] ?? "localhost";
    const messageId = `<${Buffer.from(batch.key).toString("base64url")}@${domain}>`;
    const text = bodyOf(batch);
    const mail = { from, to: settings.to, subject: oneLine(titleOf(batch)).slice(0, 200), text, messageId };
    const sent = await transport.sendMail(mail);
    return { isOk: true, detail: String(sent.response ?? sent.messageId ?? "sent") };
  };
}

async function openTransport(smtpUrl: string | null) {
  const { createTransport } = await import("nodemailer");
  const timeouts = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs };
  if (smtpUrl !== null)
    return createTransport({ url: smtpUrl, ...timeouts, disableFileAccess: true, disableUrlAccess: true });
  const { SESv2Client, SendEmailCommand } = await import("@aws-sdk/client-sesv2");
  return createTransport({ SES: { sesClient: new SESv2Client({}), SendEmailCommand } });
}
