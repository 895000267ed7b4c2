import { execFileSync, spawn } from "node:child_process";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import type { ChannelSettings } from "../../../../core/alert/channel.ts";
import { kafkaSender } from "../../../../functions/adapters/notify/kafka.ts";
import { hasTool } from "../../../has-tool.ts";
import { startKafkaBroker } from "./kafka-broker.ts";
import { batchOf, channelOf, noticeOf } from "./receivers.ts";

type Settings = Extract<ChannelSettings, { kind: "kafka" }>;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
async function start(options: Parameters<typeof startKafkaBroker>[0] = {}) {
  const broker = await startKafkaBroker(options);
  closing.push(broker.close);
  return broker;
}

const send = kafkaSender({ privateHosts: ["127.0.0.0/8", "localhost"] });
const channel = (broker: string, more: Partial<Settings> = {}, secret: string | null = null) =>
  channelOf({ kind: "kafka", brokers: [broker], topic: "alerts", isEncrypted: false, sasl: null, ...more }, secret);
const two = [
  noticeOf({ idempotencyKey: "k1", rule: { ruleId: "r1", name: "too warm" } }),
  noticeOf({ idempotencyKey: "k2", rule: { ruleId: "r2", name: "too cold" }, kind: "cleared" }),
];

describe("a topic of Kafka", () => {
  it("gets a message a notice: the rule as key, the idempotency key as header, all replicas waited for", async () => {
    const { records, tried, port } = await start();
    const sent = await send(channel(`localhost:${port}`), batchOf(two, "digest"));
    expect(sent).toEqual({ isOk: true, detail: "2 in alerts, partition 0 at 0" });
    expect(records.map(({ key, headers }) => [key, headers["idempotency-key"]])).toEqual([
      ["r1", "k1"],
      ["r2", "k2"],
    ]);
    expect(records.map(({ value }) => JSON.parse(value))).toEqual(JSON.parse(JSON.stringify(two)));
    expect(tried).toEqual(["acks -1"]);
    await send(channel(`localhost:${port}`), batchOf(two, "digest"));
    expect(records.map(({ headers }) => headers["idempotency-key"])).toEqual(["k1", "k2", "k1", "k2"]);
  });

  it.runIf(hasTool("openssl", "version"))("is signed in to over TLS, by a certificate that is known", async () => {
    const both = execFileSync(
      "openssl",
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout - -out - -subj /CN=localhost -addext subjectAltName=DNS:localhost".split(
        " ",
      ),
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
    const [key, cert] = ["PRIVATE KEY", "CERTIFICATE"].map(
      (name) => new RegExp(`-----BEGIN ${name}-----[^]+-----END ${name}-----`).exec(both)?.[0] ?? "",
    );
    const { records, tried, port } = await start({ tls: { key, cert }, password: "open sesame" });
    const sasl = { mechanism: "plain" as const, username: "writer" };
    const safe = (secret: string) => channel(`localhost:${port}`, { isEncrypted: true, sasl }, secret);
    await expect(send(safe("open sesame"), batchOf())).rejects.toThrow("self-signed certificate");
    const before = getCACertificates("default");
    closing.push(() => setDefaultCACertificates(before));
    setDefaultCACertificates([...before, cert!]);
    await expect(send(safe("wrong"), batchOf())).rejects.toThrow("no such pair");
    expect(records).toEqual([]);
    expect(await send(safe("open sesame"), batchOf())).toMatchObject({ isOk: true });
    expect(records).toHaveLength(1);
    expect(tried).toContain("PLAIN");
  });

  it("that is not there is tried again later: nobody makes it by telling", async () => {
    const { port, records } = await start({ topics: [] });
    await expect(send(channel(`localhost:${port}`), batchOf())).rejects.toThrow("does not host this topic-partition");
    await expect(send(channel("localhost:1"), batchOf())).rejects.toThrow("ECONNREFUSED");
    expect(records).toEqual([]);
  });

  it("at a private address is refused, whether the channel names it or the cluster does", async () => {
    const { port, records } = await start({ advertised: "127.0.0.1" });
    const strict = kafkaSender({ privateHosts: [] });
    const refused = { isOk: false, isFinal: true, detail: expect.stringMatching(/private: ALERT_PRIVATE_HOSTS/) };
    for (const host of ["localhost", "127.0.0.1", "0x7f000001", "10.0.0.1"])
      expect([host, await strict(channel(`${host}:${port}`), batchOf())]).toEqual([host, refused]);
    const byName = kafkaSender({ privateHosts: ["localhost"] });
    expect(await byName(channel(`localhost:${port}`), batchOf())).toEqual({
      ...refused,
      detail: expect.stringContaining("127.0.0.1 is private"),
    });
    expect(records).toEqual([]);
  });
});

describe.runIf(hasTool("kcat", "-V"))("a cluster of librdkafka's, read by kcat", () => {
  it("gives each rule's notices in their order, each with its key", async () => {
    const args = "-b unused -X test.mock.num.brokers=3 -d mock -C -u -q -t alerts -o beginning -c 6 -f %k|%h\\n";
    const kcat = spawn("kcat", args.split(" "));
    closing.push(() => kcat.kill("SIGKILL"));
    let read = "";
    kcat.stdout.setEncoding("utf8").on("data", (part: string) => {
      read += part;
    });
    const ended = new Promise((resolve) => kcat.once("close", resolve));
    const brokers = await new Promise<string[]>((resolve) => {
      kcat.stderr.setEncoding("utf8").on("data", (part: string) => {
        const found = /bootstrap\.servers=([\d.:,]+)/.exec(part)?.[1];
        if (found !== undefined) resolve(found.split(","));
      });
    });
    for (const nth of [1, 2, 3]) {
      const notices = two.map((one) => ({ ...one, idempotencyKey: `${one.rule.ruleId}-${nth}` }));
      expect(await send(channel("", { brokers }), batchOf(notices, `d${nth}`))).toMatchObject({ isOk: true });
    }
    await ended;
    const keysOf = (rule: string) =>
      read
        .split("\n")
        .filter((line) => line.startsWith(`${rule}|`))
        .map((line) => /idempotency-key=([^,]+)/.exec(line)?.[1]);
    expect(keysOf("r1")).toEqual(["r1-1", "r1-2", "r1-3"]);
    expect(keysOf("r2")).toEqual(["r2-1", "r2-2", "r2-3"]);
  }, 30_000);
});
