import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Embedded, startEmbedded } from "../../../../functions/machine/embedded/cluster.ts";

const silent = { info() {}, warn() {}, error() {} };
const hold = join(import.meta.dirname, "hold.ts");
let root: string;
let prepared: string;
let dataDir: string;
let copies = 0;
const started: Embedded[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "iot-lstm-embedded-"));
  prepared = join(root, "prepared");
  const embedded = await startEmbedded({ dataDir: prepared, needs: { follower: true, predictor: true }, log: silent });
  await query(embedded.mainUrl, "create table reading (x integer)");
  await query(embedded.mainUrl, "insert into reading values (1)");
  await embedded.stop();
});
beforeEach(() => {
  dataDir = join(root, `data${copies++}`);
  execFileSync("cp", ["-a", prepared, dataDir]);
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((embedded) => embedded.stop()));
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function start(needs = { follower: true, predictor: false }): Promise<Embedded> {
  const embedded = await startEmbedded({ dataDir, needs, log: silent });
  started.push(embedded);
  return embedded;
}

async function query(url: string | null, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url ?? "", connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Asks until it gets an answer that passes; the test's own timeout is the limit. */
async function until(url: string | null, sql: string, passes: (rows: unknown[]) => boolean): Promise<void> {
  for (;;) {
    const rows = await query(url, sql).catch(() => null);
    if (rows !== null && passes(rows)) return;
  }
}

async function holdInProcess(): Promise<{
  child: ChildProcess;
  said: { mainUrl: string; pids: { main: number; follower: number }; failed?: string };
}> {
  const child = spawn(process.execPath, [hold, dataDir], { stdio: ["ignore", "pipe", "inherit"], detached: true });
  children.push(child);
  const [line] = await once(createInterface({ input: child.stdout! }), "line");
  return { child, said: JSON.parse(line) };
}

test("the follower shows what the main database wrote, and refuses every write", async () => {
  const embedded = await start();
  await query(embedded.mainUrl, "insert into reading values (2)");
  await until(embedded.followerUrl, "select * from reading", (rows) => rows.length === 2);
  await expect(query(embedded.followerUrl, "insert into reading values (3)")).rejects.toMatchObject({ code: "25006" });
  const privileges = "select has_table_privilege('reading', 'insert, update, delete, truncate') as may_write";
  expect(await query(embedded.followerUrl, privileges)).toEqual([{ may_write: false }]);
  await expect(query(embedded.followerUrl, "create table t (x integer)")).rejects.toMatchObject({ code: "25006" });
  const owner = new URL(embedded.mainUrl!);
  owner.port = new URL(embedded.followerUrl!).port;
  await expect(query(owner.href, "insert into reading values (3)")).rejects.toMatchObject({ code: "25006" });
});

test("keeps data and addresses over a restart, and may be stopped twice", async () => {
  const first = await start();
  await query(first.mainUrl, "insert into reading values (2)");
  await first.stop();
  await first.stop();
  const second = await start();
  expect([second.mainUrl, second.followerUrl]).toEqual([first.mainUrl, first.followerUrl]);
  expect(await query(second.followerUrl, "select count(*)::int as n from reading")).toEqual([{ n: 2 }]);
});

test("makes only what is asked for", async () => {
  dataDir = join(root, `data${copies++}`);
  const embedded = await start({ follower: false, predictor: true });
  expect([embedded.mainUrl, embedded.followerUrl]).toEqual([null, null]);
  expect(await query(embedded.predictorUrl, "show fsync")).toEqual([{ fsync: "on" }]);
  expect(existsSync(join(dataDir, "main"))).toBe(false);
});

test("refuses a second start on the same data, naming the process that has it", async () => {
  await start();
  await expect(start()).rejects.toMatchObject({ code: "conflict", message: new RegExp(`process ${process.pid}`) });
  const { said } = await holdInProcess();
  expect(said.failed).toMatch(`in use by process ${process.pid}: stop that one first`);
});

test("of several who start at once on a stale lock one gets the data", async () => {
  await writeFile(join(dataDir, "lock"), "999999999 1\n");
  const results = await Promise.allSettled([start(), holdInProcess(), holdInProcess()]);
  const won = results.map((result) =>
    result.status === "fulfilled" ? !("said" in result.value && result.value.said.failed) : false,
  );
  expect(won.filter(Boolean)).toHaveLength(1);
});

test("a server that is killed comes back by itself with all its data", async () => {
  const embedded = await start();
  for (const name of ["main", "follower"] as const) {
    await query(embedded.mainUrl, "insert into reading values (2)");
    const before = embedded.pids()[name]!;
    process.kill(before, "SIGKILL");
    const url = name === "main" ? embedded.mainUrl : embedded.followerUrl;
    await until(url, "select 1", () => embedded.pids()[name] !== before);
  }
  expect(await query(embedded.mainUrl, "select count(*)::int as n from reading")).toEqual([{ n: 3 }]);
  await query(embedded.mainUrl, "insert into reading values (4)");
  await until(embedded.followerUrl, "select * from reading", (rows) => rows.length === 4);
});

test("a server that cannot start is tried until its cause is gone, and says so meanwhile", async () => {
  const embedded = await start();
  const [conf, away] = ["postgresql.conf", "away.conf"].map((name) => join(dataDir, "main", name));
  await rename(conf!, away!);
  const before = embedded.pids().main!;
  process.kill(before, "SIGKILL");
  while (!/tried [6-9] times/.test(embedded.troubles().main ?? "")) await sleep(50);
  await rename(away!, conf!);
  await until(embedded.mainUrl, "select 1", () => embedded.pids().main !== before);
  expect(embedded.troubles()).toEqual({});
}, 60_000);

test("starts again after kill -9 of our process, although its databases were left running", async () => {
  const { child, said } = await holdInProcess();
  await query(said.mainUrl, "insert into reading values (2)");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await query(said.mainUrl, "select 1 as runs")).toEqual([{ runs: 1 }]);
  const embedded = await start();
  expect(embedded.mainUrl).toBe(said.mainUrl);
  expect(embedded.pids().main).not.toBe(said.pids.main);
  expect(await query(embedded.mainUrl, "select count(*)::int as n from reading")).toEqual([{ n: 2 }]);
});

test("starts after kill -9 of everything, with stale files whose ids other programs have now", async () => {
  const { child, said } = await holdInProcess();
  await query(said.mainUrl, "insert into reading values (2)");
  for (const pid of [child.pid!, ...Object.values(said.pids)]) process.kill(pid, "SIGKILL");
  await once(child, "exit");
  const bystander = spawn("sleep", ["600"]);
  children.push(bystander);
  for (const name of ["main", "follower"]) {
    const file = join(dataDir, name, "postmaster.pid");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(/^\d+/, String(bystander.pid)));
  }
  await writeFile(join(dataDir, "lock"), `${bystander.pid} 1\n`);
  const embedded = await start();
  expect(await query(embedded.mainUrl, "select count(*)::int as n from reading")).toEqual([{ n: 2 }]);
  expect([bystander.exitCode, bystander.signalCode]).toEqual([null, null]);
});

test("Ctrl-C ends it in order: clean shutdowns, nothing left running, nothing to recover", async () => {
  const { child, said } = await holdInProcess();
  process.kill(-child.pid!, "SIGINT");
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
  for (const pid of Object.values(said.pids)) expect(() => process.kill(pid, 0)).toThrow();
  expect(existsSync(join(dataDir, "lock"))).toBe(false);
  await start();
  const log = await readFile(join(dataDir, "main.log"), "utf8");
  expect(log).not.toMatch(/not properly shut down|automatic recovery/);
});

test("makes a new standby when the old one is gone or follows a database that is no more", async () => {
  await rm(join(dataDir, "follower"), { recursive: true });
  const first = await start();
  expect(await query(first.followerUrl, "select * from reading")).toEqual([{ x: 1 }]);
  await first.stop();
  await rm(join(dataDir, "main"), { recursive: true });
  const second = await start();
  await query(second.mainUrl, "create table reading as select 7 as x");
  await until(second.followerUrl, "select * from reading", (rows) => JSON.stringify(rows) === '[{"x":7}]');
});

test("rebuilds a standby that has left the primary's history", async () => {
  // The primary falls back to an older copy of itself while the standby is further on.
  execFileSync("cp", ["-a", join(dataDir, "main"), join(dataDir, "older")]);
  const first = await start();
  await query(first.mainUrl, "insert into reading select generate_series(1, 1000)");
  await until(first.followerUrl, "select * from reading", (rows) => rows.length === 1001);
  await first.stop();
  await rm(join(dataDir, "main"), { recursive: true });
  execFileSync("mv", [join(dataDir, "older"), join(dataDir, "main")]);
  const second = await start();
  await query(second.mainUrl, "insert into reading values (2)");
  await until(second.followerUrl, "select * from reading", (rows) => rows.length === 2);
});

test("says what to do about data of another Postgres", async () => {
  await writeFile(join(dataDir, "main", "PG_VERSION"), "17\n");
  await expect(start()).rejects.toMatchObject({
    code: "misconfigured",
    message: /made by Postgres 17.*remove the folder/,
  });
});
