import { createServer, type Server, type Socket } from "node:net";
import { createServer as createSecureServer, type TlsOptions } from "node:tls";

export type KafkaRecord = { topic: string; key: string; value: string; headers: Record<string, string> };
type Options = { tls?: TlsOptions; password?: string; advertised?: string; topics?: string[] };

const [produce, metadata, saslHandshake, apiVersions, saslAuthenticate] = [0, 3, 17, 18, 36];
/** What is spoken: [api, lowest, highest version]. */
const spoken = [
  [produce, 3, 3],
  [metadata, 2, 2],
  [saslHandshake, 1, 1],
  [apiVersions, 0, 0],
  [saslAuthenticate, 0, 0],
];
const [unknownTopic, wrongPassword] = [3, 58];

/**
 * One broker of the protocol (kafka.apache.org/protocol), as much of it as a producer needs: what the mock cluster of
 * librdkafka, which is a real one, has not (TLS, SASL, a topic that is missing). Keeps what it was sent.
 */
export async function startKafkaBroker({ tls, password, advertised = "localhost", topics = ["alerts"] }: Options = {}) {
  const records: KafkaRecord[] = [];
  const tried: string[] = [];
  const sockets = new Set<Socket>();
  const take = (socket: Socket) => {
    let [rest, isKnown] = [Buffer.alloc(0), password === undefined];
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (part: Buffer) => {
      rest = Buffer.concat([rest, part]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const length = rest.readInt32BE(0);
        const reader = readerOf(rest.subarray(4, 4 + length));
        rest = rest.subarray(4 + length);
        const [api, , correlation] = [reader.int16(), reader.int16(), reader.int32()];
        reader.text();
        if (!isKnown && ![saslHandshake, apiVersions, saslAuthenticate].includes(api)) return socket.destroy();
        const body = answer(api, reader, (isRight) => {
          isKnown = isRight;
        });
        const head = Buffer.concat([int32(4 + body.length), int32(correlation)]);
        socket.write(Buffer.concat([head, body]));
      }
    });
  };
  const server: Server = tls === undefined ? createServer(take) : createSecureServer(tls, take);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };

  function answer(api: number, reader: Reader, letIn: (isRight: boolean) => void): Buffer {
    if (api === apiVersions)
      return Buffer.concat([int16(0), array(spoken.map((one) => Buffer.concat(one.map(int16))))]);
    if (api === metadata) {
      const asked = reader.array(() => reader.text());
      const broker = Buffer.concat([int32(1), text(advertised), int32(port), int16(-1)]);
      const partition = Buffer.concat([int16(0), int32(0), int32(1), array([int32(1)]), array([int32(1)])]);
      const found = asked.map((name) => {
        const isThere = topics.includes(name);
        const head = [int16(isThere ? 0 : unknownTopic), text(name), Buffer.from([0])];
        return Buffer.concat([...head, array(isThere ? [partition] : [])]);
      });
      return Buffer.concat([array([broker]), int16(-1), int32(1), array(found)]);
    }
    if (api === saslHandshake) {
      tried.push(reader.text());
      return Buffer.concat([int16(0), array([text("PLAIN")])]);
    }
    if (api === saslAuthenticate) {
      const isRight = reader.bytes().toString() === `\0writer\0${password}`;
      letIn(isRight);
      return Buffer.concat([int16(isRight ? 0 : wrongPassword), isRight ? int16(-1) : text("no such pair"), int32(0)]);
    }
    reader.text();
    tried.push(`acks ${reader.int16()}`);
    reader.int32();
    const stored = reader.array(() => {
      const topic = reader.text();
      const parts = reader.array(() => {
        const partition = reader.int32();
        const base = records.length;
        records.push(...recordsIn(reader.bytes()).map((one) => ({ topic, ...one })));
        return Buffer.concat([int32(partition), int16(0), int64(base), int64(-1)]);
      });
      return Buffer.concat([text(topic), array(parts)]);
    });
    return Buffer.concat([array(stored), int32(0)]);
  }

  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { records, tried, port, close };
}

/** A batch of records, version 2, uncompressed: 61 bytes of head, then its records in zigzag varints. */
function recordsIn(batch: Buffer): Omit<KafkaRecord, "topic">[] {
  const reader = readerOf(batch.subarray(61));
  return Array.from({ length: batch.readInt32BE(57) }, () => {
    reader.varint();
    reader.skip(1);
    reader.varint();
    reader.varint();
    const [key, value] = [reader.varBytes(), reader.varBytes()];
    const headers = Array.from({ length: reader.varint() }, () => [reader.varBytes(), reader.varBytes()]);
    return { key, value, headers: Object.fromEntries(headers) };
  });
}

type Reader = ReturnType<typeof readerOf>;

function readerOf(buffer: Buffer) {
  let at = 0;
  const take = (length: number) => {
    const part = buffer.subarray(at, at + Math.max(0, length));
    at += Math.max(0, length);
    return part;
  };
  const int16 = () => take(2).readInt16BE();
  const int32 = () => take(4).readInt32BE();
  const varint = () => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = take(1)[0]!;
      value += (byte & 127) * 2 ** shift;
      shift += 7;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  };
  return {
    ...{ int16, int32, varint, skip: take },
    text: () => take(int16()).toString(),
    bytes: () => take(int32()),
    varBytes: () => take(varint()).toString(),
    array: <Value>(read: () => Value): Value[] => Array.from({ length: int32() }, read),
  };
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function int64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(BigInt(value));
  return buffer;
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}

function array(parts: Buffer[]): Buffer {
  return Buffer.concat([int32(parts.length), ...parts]);
}
