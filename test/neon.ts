import { type AddressInfo, connect, type Socket } from "node:net";
import pg from "pg";
import { WebSocketServer } from "ws";

/** Neon as its driver sees it: a WebSocket in front of a real Postgres, with a transaction-mode pooler's refusals. */
export type Neon = {
  /** Of `ws://127.0.0.1:PORT/v2`; `?address=host:port` reaches another Postgres. */
  port: number;
  /** Most connections that were open at a time. */
  mostOpen(): number;
  /** What a transaction-mode pooler does not carry over from one transaction to the next, as it was sent. */
  sessionStatements: string[];
  stop(): Promise<void>;
};

/** What is lost, or hits the wrong client, when a pooler hands the session on after each transaction. */
const sessionStatement =
  /^\s*(set\s+(?!local\b|transaction\b)|reset\b|listen\b|unlisten\b|prepare\b|declare\b.*with hold|create\s+temp)|\bpg_(try_)?advisory_lock/i;
const startupParameters = new Set(["user", "database", "application_name", "client_encoding"]);

/**
 * Starts the stand-in. `postgresUrl` is a superuser of the Postgres behind it, which is told to take passwords as plain
 * text like Neon's proxy, so that the driver keeps its own defaults (it sends the password before it is asked).
 */
export async function startNeon(postgresUrl: string): Promise<Neon> {
  const admin = new pg.Client({ connectionString: postgresUrl });
  await admin.connect();
  const { rows } = await admin.query("show hba_file");
  const lines = ["local all all trust", "host all all all password", "host replication all all scram-sha-256"];
  await admin.query(`copy (select unnest(array['${lines.join("','")}'])) to '${rows[0].hba_file}'`);
  await admin.query("select pg_reload_conf()");
  await admin.end();

  const sessionStatements: string[] = [];
  const sockets = new Set<Socket>();
  let most = 0;
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  const behind = new URL(postgresUrl).host;
  server.on("connection", (client, request) => {
    const address = new URL(request.url ?? "/", "ws://neon").searchParams.get("address");
    const [host = "", port = ""] = (address ?? behind).split(":");
    const postgres = connect(Number(port), host);
    const read = messageReader((text) => sessionStatements.push(text));
    sockets.add(postgres);
    most = Math.max(most, sockets.size);
    client.on("message", (data: Buffer) => {
      read(data);
      postgres.write(data);
    });
    postgres.on("data", (data) => client.send(data));
    client.on("close", () => postgres.destroy());
    postgres.on("error", () => client.terminate());
    postgres.on("close", () => {
      sockets.delete(postgres);
      client.close();
    });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    mostOpen: () => most,
    sessionStatements,
    async stop() {
      for (const client of server.clients) client.terminate();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A WebSocket class that reaches the stand-in wherever the driver wants to go (`wss://host/v2`). */
export function redirectToNeon(port: number): typeof WebSocket {
  return class extends WebSocket {
    constructor() {
      super(`ws://127.0.0.1:${port}/v2`);
    }
  };
}

/**
 * Reads the frontend's protocol (a startup, then [type, length, payload]) and reports what a pooler would not carry.
 */
function messageReader(report: (text: string) => void): (data: Buffer) => void {
  let pending = Buffer.alloc(0);
  let isStarted = false;
  const readStartup = (fields: string[]) => {
    const names = fields.filter((field, index) => index % 2 === 0 && field !== "");
    for (const name of names) if (!startupParameters.has(name)) report(`startup parameter ${name}`);
  };
  const readMessage = (type: string, fields: string[]) => {
    const [first = "", second = ""] = fields;
    if (type === "Q" && sessionStatement.test(first)) report(first);
    if (type === "P" && (first !== "" || sessionStatement.test(second))) report(`${first} ${second}`.trim());
  };
  return (data) => {
    pending = Buffer.concat([pending, data]);
    for (;;) {
      const header = isStarted ? 1 : 0;
      if (pending.length < header + 4) return;
      const end = header + pending.readInt32BE(header);
      if (pending.length < end) return;
      const fields = (from: number) => pending.subarray(from, end).toString("utf8").split("\0");
      // A startup has the protocol's version between its length and its parameters.
      if (isStarted) readMessage(String.fromCharCode(pending[0] ?? 0), fields(5));
      else readStartup(fields(8));
      isStarted = true;
      pending = pending.subarray(end);
    }
  };
}
