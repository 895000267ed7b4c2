import { execFile, spawn } from "node:child_process";
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBossQueue } from "../../../../../functions/adapters/pgboss.ts";
import { openDatabase } from "../../../../../functions/adapters/postgres/connection/pool.ts";
import { migrate } from "../../../../../functions/adapters/postgres/migrate.ts";
import { chooseAccount } from "../../../../../functions/machine/embedded/account.ts";
import { choosePort } from "../../../../../functions/machine/embedded/free-port.ts";
import { quietLog } from "../../../../fakes/log.ts";
import { hasTool } from "../../../../has-tool.ts";
import { startTestPostgres, type TestPostgres } from "../../../../postgres.ts";

const run = promisify(execFile);
/** It makes the certificates of both servers. */
const hasOpenssl = hasTool("openssl", "version");
const pgbouncer = "/usr/sbin/pgbouncer";
let folder: string;
let plain: TestPostgres;
let encrypted: TestPostgres;
const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "iot-lstm-tls-"));
  await chmod(folder, 0o755);
  await openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=test authority",
  );
  await openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "server.key",
    "-out",
    "server.csr",
    "-subj",
    "/CN=localhost",
  );
  await writeFile(join(folder, "san"), "subjectAltName=DNS:localhost");
  await openssl(
    "x509",
    "-req",
    "-in",
    "server.csr",
    "-CA",
    "ca.pem",
    "-CAkey",
    "ca.key",
    "-CAcreateserial",
    "-extfile",
    "san",
    "-out",
    "server.pem",
  );
  const read = (name: string) => readFile(join(folder, name), "utf8");
  plain = await startTestPostgres({ settings: { unix_socket_directories: "/tmp" } });
  encrypted = await startTestPostgres({
    files: {
      "server.key": await read("server.key"),
      "server.pem": await read("server.pem"),
      "hba.conf": "hostssl all all all scram-sha-256\n",
    },
    settings: { ssl: "on", ssl_cert_file: "server.pem", ssl_key_file: "server.key", hba_file: "hba.conf" },
  });
});
afterAll(async () => {
  await plain?.stop();
  await encrypted?.stop();
  await rm(folder, { recursive: true, force: true });
});

type Seen = { ssl: boolean; timeout: string };
async function see(url: string): Promise<Seen | undefined> {
  const database = openDatabase<unknown>({ url, side: "follower", max: 2, statementTimeoutMs: 4000 });
  try {
    const seen = () =>
      database.query<Seen>(
        "select ssl, current_setting('statement_timeout') as timeout from pg_stat_ssl where pid = pg_backend_pid()",
      );
    const [[one]] = await Promise.all([seen(), seen(), seen()]);
    return one;
  } finally {
    await database.close();
  }
}
const at = (url: string, query: string, host = "localhost") => {
  const moved = new URL(url);
  moved.hostname = host;
  return `${moved.href}?${query}`;
};

describe.runIf(hasOpenssl)("a server that wants TLS with a certificate of its own", () => {
  it.each(["", "sslmode=allow", "sslmode=prefer", "sslmode=require"])("is reached with %j", async (query) => {
    expect(await see(at(encrypted.url, query))).toEqual({ ssl: true, timeout: "4s" });
  });

  it.each(["verify-ca", "verify-full", "require"])("is verified with sslmode=%s and its authority", async (mode) => {
    expect(await see(at(encrypted.url, `sslmode=${mode}&sslrootcert=${folder}/ca.pem`))).toMatchObject({ ssl: true });
  });

  it.each<[string, string, RegExp]>([
    ["sslmode=verify-full", "localhost", /Set sslrootcert=.* in FOLLOWER_DATABASE_URL.*or sslmode=require/],
    ["sslmode=verify-ca", "localhost", /Set sslrootcert=.* in FOLLOWER_DATABASE_URL.*or sslmode=require/],
    ["sslmode=verify-full&sslrootcert={folder}/ca.pem", "127.0.0.1", /Set the host name that the certificate has/],
    ["sslmode=verify-full&sslrootcert=/no/ca.pem", "localhost", /FOLLOWER_DATABASE_URL: sslrootcert cannot be read/],
    ["sslmode=disable", "localhost", /no encryption\. Set sslmode=require in FOLLOWER_DATABASE_URL, or let/],
  ])("refused with %s at %s, says the two ways out", async (query, host, message) => {
    const seen = see(at(encrypted.url, query.replace("{folder}", folder), host));
    await expect(seen).rejects.toMatchObject({ code: "misconfigured", message: expect.stringMatching(message) });
  });
});

describe.runIf(hasOpenssl)("a server without TLS", () => {
  it.each(["", "sslmode=allow", "sslmode=prefer", "sslmode=disable"])("is reached with %j", async (query) => {
    expect(await see(at(plain.url, query, "127.0.0.1"))).toEqual({ ssl: false, timeout: "4s" });
  });

  it("is refused with sslmode=require, and the message says the two ways out", async () => {
    await expect(see(at(plain.url, "sslmode=require", "127.0.0.1"))).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringMatching(/127.0.0.1:\d+\).*Turn on ssl.*or set sslmode=disable in FOLLOWER_DATABASE_URL/),
    });
  });

  it("is reached by its socket and by a DSN", async () => {
    const { port } = new URL(plain.url);
    expect(await see(`postgres://postgres:test@/postgres?host=/tmp&port=${port}`)).toMatchObject({ ssl: false });
    expect(await see(`host=127.0.0.1 port=${port} user=postgres password=test dbname=postgres`)).toMatchObject({});
  });

  it.each(["p#a", "p/a", "p%a", "p@a", "p?a:b", "p@a/b#c"])(
    "takes the password %s in a URL as it stands",
    async (password) => {
      const admin = openDatabase<unknown>({ url: plain.url, side: "follower", max: 1 });
      await admin.query("drop role if exists special");
      await admin.query(`create role special login password '${password}'`);
      await admin.close();
      const url = plain.url.replace("postgres:test@", `special:${password}@`);
      expect(await see(url)).toMatchObject({ ssl: false });
      const wrong = see(url.replace("special:", "special:wrong"));
      const error = await wrong.catch((fault: unknown) => fault);
      expect(error).toMatchObject({ code: "misconfigured", message: expect.stringMatching(/Check role and password/) });
      expect(String(error)).not.toContain(password);
    },
  );
});

describe.runIf(hasOpenssl && hasTool(pgbouncer))("PgBouncer in transaction mode, on a port that does not tell", () => {
  it.each(["disable", "require"])(
    "is reached with its client_tls_sslmode=%s, migrated through, and queued on",
    async (mode) => {
      const bouncer = await startBouncer(new URL(plain.url).port, mode);
      try {
        const base = new URL(await plain.createDatabase());
        base.port = String(bouncer.port);
        expect(await see(base.href)).toMatchObject({ timeout: "0" });
        const database = openDatabase<unknown>({ url: base.href, side: "predictor", max: 2 });
        expect((await migrate(database.db)).length).toBeGreaterThan(0);
        await database.close();
        const queue = await openBossQueue(base.href, quietLog());
        const done = new Promise<void>((resolve) => {
          void queue.work("forecast", async () => {
            resolve();
            return { batchItemFailures: [] };
          });
        });
        await queue.send("forecast", [{ key: "one", body: {} }]);
        await done;
        await queue.stop();
      } finally {
        await bouncer.stop();
      }
    },
  );
});

async function startBouncer(postgresPort: string, tls: string) {
  const port = await choosePort();
  const path = join(folder, `bouncer-${port}.ini`);
  await writeFile(join(folder, "users.txt"), '"postgres" "test"\n');
  await writeFile(
    path,
    `[databases]
* = host=127.0.0.1 port=${postgresPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = transaction
auth_type = scram-sha-256
auth_file = ${folder}/users.txt
client_tls_sslmode = ${tls}
client_tls_key_file = ${folder}/server.key
client_tls_cert_file = ${folder}/server.pem
`,
  );
  const account = await chooseAccount(folder, console);
  if (account) await chown(join(folder, "server.key"), account.uid, account.gid);
  const child = spawn(pgbouncer, [path], { stdio: "ignore", ...account });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  while (!(await answers(port))) await sleep(20);
  return {
    port,
    async stop() {
      child.kill("SIGINT");
      await exited;
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket.destroy() !== null));
    socket.on("error", () => resolve(false));
  });
}
