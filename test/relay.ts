import { once } from "node:events";
import { createServer, connect as dial, type Socket } from "node:net";

/** What happens on the way from the server to one client. Bytes count from the connection's first. */
export type Wire = {
  /** Answers arrive in pieces of this many bytes. */
  splitBytes?: number;
  /** Answers wait this long, and what came meanwhile arrives in one chunk. */
  mergeMs?: number;
  /** The server's first ReadyForQuery and a FATAL 57P01 arrive in one chunk, then the line is dead. */
  isEndedWhenReady?: boolean;
  /** The line is cut after so many bytes of answers. */
  cutAfterBytes?: number;
};

/** A TCP relay before a real Postgres that merges, splits, delays and cuts what goes over the wire. */
export type Relay = {
  /** The database at `url`, by way of the relay. */
  urlOf(url: string): string;
  connections(): number;
  close(): Promise<void>;
};

/** `wireOf` says for each connection, counted from 0, what happens on its way. */
export async function startRelay(upstreamUrl: string, wireOf: (connection: number) => Wire): Promise<Relay> {
  const upstream = new URL(upstreamUrl);
  const open = new Set<Socket>();
  let count = 0;
  const server = createServer((client) => {
    const wire = wireOf(count++);
    const database = dial(Number(upstream.port), upstream.hostname);
    for (const socket of [client, database]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        database.destroy();
      });
    }
    client.on("data", (chunk) => database.write(chunk));
    database.on("data", carrier(wire, client, database));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    urlOf(url) {
      const moved = new URL(url);
      moved.hostname = "127.0.0.1";
      moved.port = String(port);
      return moved.href;
    },
    connections: () => count,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, "close");
    },
  };
}

function carrier(wire: Wire, client: Socket, database: Socket): (chunk: Buffer) => void {
  let sent = 0;
  let waiting: Buffer[] = [];
  let isWaiting = false;
  const write = (bytes: Buffer) => {
    const room = (wire.cutAfterBytes ?? Number.POSITIVE_INFINITY) - sent;
    const passed = bytes.subarray(0, Math.max(0, room));
    sent += passed.length;
    const piece = wire.splitBytes ?? Math.max(1, passed.length);
    for (let at = 0; at < passed.length; at += piece) client.write(passed.subarray(at, at + piece));
    if (passed.length < bytes.length) database.destroy();
  };
  return (chunk) => {
    if (wire.isEndedWhenReady && chunk.includes(readyForQuery)) {
      client.end(Buffer.concat([chunk, fatal("57P01", "terminating connection due to administrator command")]));
      return;
    }
    if (wire.mergeMs === undefined) return write(chunk);
    waiting.push(chunk);
    if (isWaiting) return;
    isWaiting = true;
    setTimeout(() => {
      const merged = Buffer.concat(waiting);
      waiting = [];
      isWaiting = false;
      write(merged);
    }, wire.mergeMs);
  };
}

/** 'Z', length 5, idle. */
const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

function fatal(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
