import { createHmac } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { mayReach } from "../../../../functions/adapters/notify/guarded.ts";
import { slackSender, teamsSender, webhookSender } from "../../../../functions/adapters/notify/http.ts";
import { someSlot } from "../../../builders.ts";
import { batchOf, channelOf, noticeOf, startReceiver } from "./receivers.ts";

let receiver: Awaited<ReturnType<typeof startReceiver>>;
afterEach(() => receiver?.close());

const wall = { now: () => someSlot };
const here = { wall, privateHosts: ["127.0.0.1"] };
const secret = "a secret of a webhook";

describe("a webhook", () => {
  it("sends signed JSON that its receiver can verify, under one key however often", async () => {
    receiver = await startReceiver();
    const send = webhookSender(here);
    const channel = channelOf({ kind: "webhook", url: receiver.url }, secret);
    expect(await send(channel, batchOf())).toEqual({ isOk: true, detail: "200: thanks" });
    await send(channel, batchOf());
    const [first, second] = receiver.received;
    const id = first!.headers["webhook-id"];
    const seconds = first!.headers["webhook-timestamp"];
    expect([id, first!.headers["idempotency-key"], second!.headers["webhook-id"]]).toEqual(["k1", "k1", "k1"]);
    const expected = createHmac("sha256", secret).update(`${id}.${seconds}.${first!.body}`).digest("base64");
    expect(first!.headers["webhook-signature"]).toBe(`v1,${expected}`);
    expect(JSON.parse(first!.body)).toMatchObject({ idempotencyKey: "k1", notices: [{ text: noticeOf().text }] });
  });

  it("goes to no private address, by whatever name, and to one that is allowed", async () => {
    receiver = await startReceiver();
    const send = webhookSender({ wall, privateHosts: [] });
    const urls = [
      receiver.url,
      `http://localhost:${receiver.port}/`,
      `http://[::1]:${receiver.port}/`,
      `http://0x7f000001:${receiver.port}/`,
      `http://[::ffff:127.0.0.1]:${receiver.port}/`,
      "http://169.254.169.254/latest/meta-data/",
      "http://10.0.0.1/",
      "http://0.0.0.0/",
    ];
    for (const url of urls) {
      const sent = await send(channelOf({ kind: "webhook", url }, secret), batchOf());
      expect([url, sent]).toEqual([url, { isOk: false, isFinal: true, detail: expect.stringContaining("private") }]);
    }
    expect(receiver.received).toEqual([]);
    const named = webhookSender({ wall, privateHosts: ["localhost"] });
    expect((await named(channelOf({ kind: "webhook", url: urls[1]! }, secret), batchOf())).isOk).toBe(true);
  });

  it("follows no redirect, tries again what may pass, and gives up what will not", async () => {
    const answers = [302, 500, 429, 404, 400];
    receiver = await startReceiver((nth) => ({
      status: answers[nth - 1]!,
      headers: { Location: "http://169.254.169.254/" },
    }));
    const send = webhookSender(here);
    const said = [];
    for (const _ of answers) {
      const sent = await send(channelOf({ kind: "webhook", url: receiver.url }, secret), batchOf());
      said.push(sent.isOk ? "ok" : sent.isFinal ? "final" : "again");
    }
    expect(said).toEqual(["final", "again", "again", "again", "final"]);
    expect(receiver.received).toHaveLength(5);
  });
});

describe("addresses that are not for everybody", () => {
  it("are refused in all their spellings", () => {
    const refused = [
      "127.0.0.1",
      "10.1.2.3",
      "172.16.0.1",
      "192.168.1.1",
      "169.254.0.1",
      "100.64.0.1",
      "0.0.0.0",
      "255.255.255.255",
      "224.0.0.1",
      "198.18.0.1",
      "::1",
      "::",
      "fe80::1",
      "fc00::1",
      "ff02::1",
      "::ffff:10.0.0.1",
      "64:ff9b::a00:1",
      "2002:a00:1::",
      "::ffff:0:10.0.0.1",
      "2001:db8::1",
    ];
    expect(refused.filter((address) => mayReach("x", address, []))).toEqual([]);
    const open = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::808:808"];
    expect(open.filter((address) => !mayReach("x", address, []))).toEqual([]);
  });

  it("are allowed by name, address or network, and no other", () => {
    expect(mayReach("hook.lan", "10.0.0.7", ["HOOK.lan"])).toBe(true);
    expect(mayReach("x", "10.0.0.7", ["10.0.0.0/24"])).toBe(true);
    expect(mayReach("x", "10.0.1.7", ["10.0.0.0/24", "10.0.1.8", "fd00::/8"])).toBe(false);
    expect(mayReach("x", "fd00::1", ["fd00::/8"])).toBe(true);
  });
});

describe("Slack and Teams", () => {
  it("get their own JSON, in which names are only text", async () => {
    receiver = await startReceiver();
    const notice = noticeOf({ text: "<!channel> & <https://evil.example|click>\nSecond line: 30 °C" });
    expect((await slackSender(here)(channelOf({ kind: "slack" }, receiver.url), batchOf([notice]))).isOk).toBe(true);
    expect((await teamsSender(here)(channelOf({ kind: "teams" }, receiver.url), batchOf([notice]))).isOk).toBe(true);
    const [slack, teams] = receiver.received.map(({ body }) => JSON.parse(body));
    expect(slack.text).toContain("&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt; Second line");
    expect(teams.attachments[0].content.body[0]).toMatchObject({ type: "TextBlock", text: "too warm fires" });
  });

  it("get a digest of many in one message", async () => {
    receiver = await startReceiver();
    const notices = Array.from({ length: 30 }, (_, i) => noticeOf({ idempotencyKey: `k${i}` }));
    await slackSender(here)(channelOf({ kind: "slack" }, receiver.url), batchOf(notices, "digest"));
    const { text } = JSON.parse(receiver.received[0]!.body);
    expect(text).toContain("Alerts: 30 notices, 1 rules, 1 sensors");
    expect(text).toContain("... and 10 more");
  });
});
