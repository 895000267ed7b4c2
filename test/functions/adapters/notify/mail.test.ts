import { text } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emailSender } from "../../../../functions/adapters/notify/email.ts";
import { batchOf, channelOf, noticeOf } from "./receivers.ts";

let server: SMTPServer;
let port: number;
let mails: { to: string[]; source: string }[];
beforeEach(async () => {
  mails = [];
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, session, done) {
      void text(stream).then((source) => {
        mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), source });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.server.address() as { port: number }).port;
});
afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

describe("mail by SMTP", () => {
  it("reaches all recipients, with the key as its id", async () => {
    const send = await emailSender({ smtpUrl: `smtp://127.0.0.1:${port}`, from: "Forecasts <alerts@site.example>" });
    const channel = channelOf({ kind: "email", to: ["a@site.example", "b@site.example"] });
    expect(await send(channel, batchOf())).toMatchObject({ isOk: true });
    await send(channel, batchOf());
    expect(mails[0]!.to).toEqual(["a@site.example", "b@site.example"]);
    const idOf = (source: string) => /^Message-ID: (.+)$/im.exec(source)?.[1];
    expect(idOf(mails[0]!.source)).toBe(`<${Buffer.from("k1").toString("base64url")}@site.example>`);
    expect(idOf(mails[1]!.source)).toBe(idOf(mails[0]!.source));
    expect(mails[0]!.source).toMatch(/^Subject: too warm fires$/m);
  });

  it("has no header that a name has smuggled in", async () => {
    const send = await emailSender({ smtpUrl: `smtp://127.0.0.1:${port}`, from: "alerts@site.example" });
    const rule = { ruleId: "r", name: "x\r\nBcc: evil@evil.example\r\n\r\nhello" };
    await send(channelOf({ kind: "email", to: ["a@site.example"] }), batchOf([noticeOf({ rule })]));
    expect(mails[0]!.to).toEqual(["a@site.example"]);
    expect(mails[0]!.source).not.toMatch(/^Bcc:/im);
  });

  it("throws where nobody answers, and says so", async () => {
    const send = await emailSender({ smtpUrl: "smtp://127.0.0.1:1", from: "alerts@site.example" });
    await expect(send(channelOf({ kind: "email", to: ["a@site.example"] }), batchOf())).rejects.toThrow("ECONNREFUSED");
  });
});
