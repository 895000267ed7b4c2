import { connect, isIP, type LookupFunction } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { type ISocketFactory, Kafka, type Message, Partitioners, type SASLOptions } from "kafkajs";
import type { ChannelSettings } from "../../../core/alert/channel.ts";
import type { Batch, Sender, Sent } from "../../../core/alert/outbox.ts";
import { mayReach, openAddress, type PrivateHosts } from "./guarded.ts";

type Settings = Extract<ChannelSettings, { kind: "kafka" }>;

/** All tries at all brokers together; the lease on a channel lasts longer. */
const timeoutMs = 30_000;
const connectionTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;

/**
 * A topic of Kafka: a message a notice, as JSON, told once all replicas that are in sync have it. Its key is the rule,
 * so that a partition keeps each rule's order; the header `idempotency-key` is the same however often it is sent.
 */
export function kafkaSender({ privateHosts }: { privateHosts: PrivateHosts }): Sender {
  return async ({ settings, secret }, batch) => {
    if (settings.kind !== "kafka") return { isOk: false, isFinal: true, detail: "the channel is none of Kafka" };
    const gate = openGate(privateHosts);
    try {
      return await publish(settings, secret, batch, gate.socketFactory);
    } catch (error) {
      const refused = gate.refusal();
      if (refused === null) throw error;
      return { isOk: false, isFinal: true, detail: refused };
    }
  };
}

async function publish(
  { brokers, topic, isEncrypted, sasl }: Settings,
  secret: string | null,
  batch: Batch,
  socketFactory: ISocketFactory,
): Promise<Sent> {
  const kafka = new Kafka({
    ...{ clientId: "iot-lstm-predictor", brokers, ssl: isEncrypted, socketFactory },
    ...(sasl === null ? {} : { sasl: { ...sasl, password: secret ?? "" } as SASLOptions }),
    ...{ connectionTimeout: connectionTimeoutMs, requestTimeout: requestTimeoutMs, logCreator: () => () => undefined },
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
  });
  const tell = async () => {
    await producer.connect();
    return producer.send({ topic, acks: -1, messages: batch.notices.map(messageOf) });
  };
  try {
    const stored = await within(tell());
    const places = stored.map(({ partition, baseOffset }) => `${partition} at ${baseOffset}`);
    return { isOk: true, detail: `${batch.notices.length} in ${topic}, partition ${places.join(", ")}` };
  } finally {
    // What it says on leaving changes nothing.
    await producer.disconnect().catch(() => undefined);
  }
}

function messageOf(notice: Batch["notices"][number]): Message {
  const headers = { "idempotency-key": notice.idempotencyKey, "content-type": "application/json" };
  return { key: notice.rule.ruleId, value: JSON.stringify(notice), headers };
}

async function within<Value>(work: Promise<Value>): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

/**
 * Sockets to hosts of the open internet only, as webhooks have them: brokers come from the cluster's own answers, too,
 * and each name is judged by the address that is connected to.
 */
function openGate(allowed: PrivateHosts) {
  let refused: string | null = null;
  const refuse = (why: string) => {
    refused = why;
    return new Error(why);
  };
  const lookup: LookupFunction = (host, options, done) => {
    openAddress(host, allowed).then(
      (found) => {
        if ("refused" in found) done(refuse(found.refused), "", 0);
        else if (options.all) done(null, [found]);
        else done(null, found.address, found.family);
      },
      (error: NodeJS.ErrnoException) => done(error, "", 0),
    );
  };
  const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    // An address is never looked up.
    if (isIP(host) !== 0 && !mayReach(host, host, allowed))
      throw refuse(`${host} is private: ALERT_PRIVATE_HOSTS allows it`);
    const socket = ssl
      ? connectSecurely({ host, port, lookup, ...(isIP(host) === 0 ? { servername: host } : {}) }, onConnect)
      : connect({ host, port, lookup }, onConnect);
    return socket.setKeepAlive(true);
  };
  return { socketFactory, refusal: () => refused };
}
