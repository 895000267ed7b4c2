import { execFile } from "node:child_process";
import { chown, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect, promisify } from "node:util";
import pg from "pg";
import { afterEach, expect, test } from "vitest";
import { startTestPostgres } from "../postgres.ts";
import type { Wire } from "../relay.ts";
import { startWorld, type World } from "./world.ts";

const run = promisify(execFile);
/** What /readyz may take, and the time between two looks. */
const most = 2.1;
const threeStepsMs = 60_000;
const started: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of started.splice(0).reverse()) await stop();
});

async function begin(settings: Record<string, string> = {}) {
  const postgres = await startTestPostgres({ settings });
  started.push(() => postgres.stop());
  return postgres;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** The fault is noticed within two steps and over within two, and nothing is missing of what it fell into. */
async function expectNoticed(world: World, fault: { begin(): Promise<void>; end(): Promise<void>; lastsMs?: number }) {
  await world.untilReadyz(200, 4);
  await fault.begin();
  const began = performance.now();
  const noticed = await world.untilReadyz(503, most);
  await sleep(Math.max(0, (fault.lastsMs ?? threeStepsMs) - (performance.now() - began)));
  await fault.end();
  const over = await world.untilReadyz(200, most);
  console.log(`503 after ${noticed.toFixed(2)} steps, 200 after ${over.toFixed(2)}`);
  await world.passSteps(3);
  expect(await world.findings()).toBe("");
}

async function track(starting: Promise<World>): Promise<World> {
  const world = await starting;
  started.push(() => world.stop());
  return world;
}

const mayMount = await mkdtemp(join(tmpdir(), "faults-mount-")).then(async (folder) => {
  const isAllowed = await run("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]).then(
    () => run("umount", [folder]).then(() => true),
    () => false,
  );
  await rm(folder, { recursive: true });
  return isAllowed;
});

test.skipIf(!mayMount)("a full disk", async () => {
  const postgres = await begin();
  const disk = await mkdtemp(join(tmpdir(), "faults-disk-"));
  await run("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", disk]);
  started.push(() => rm(disk, { recursive: true, force: true }));
  started.push(() => run("umount", ["-l", disk]));
  const { uid, gid } = await stat(`/proc/${postgres.primary.pid}`);
  await chown(disk, uid, gid);
  // Postgres stops first: what lies on the disk is in use.
  started.push(started.shift()!);
  const admin = await connect(postgres.url);
  await admin.query(`create tablespace small location '${disk}'`);
  const prepare = async ({ predictorUrl }: { predictorUrl: string }) => {
    await admin.query(`alter database ${new URL(predictorUrl).pathname.slice(1)} set tablespace small`);
    await admin.end();
  };
  const world = await track(startWorld(postgres, { sensors: 60, prepare }));
  const filler = join(disk, "filler");
  await expectNoticed(world, {
    async begin() {
      const file = await open(filler, "w");
      const block = Buffer.alloc(65_536, 1);
      for (let size = block.length; size >= 1; size = Math.floor(size / 2)) {
        while ((await file.write(block.subarray(0, size)).catch(() => ({ bytesWritten: 0 }))).bytesWritten > 0);
      }
      await file.close();
    },
    end: () => rm(filler),
  });
  // With their causes, as the log writes them.
  const faults = world.log.lines.filter(({ level }) => level === "error").map(({ fields }) => inspect(fields));
  expect(faults.join("\n")).toMatch(/No space left on device|could not extend file/);
});

test("every statement running into its time limit", async () => {
  const postgres = await begin();
  const wire: Wire = {};
  const world = await track(startWorld(postgres, { wire }));
  await expectNoticed(world, {
    async begin() {
      wire.mergeMs = 25_000;
    },
    async end() {
      delete wire.mergeMs;
    },
  });
});

test("a lock of two minutes", async () => {
  const postgres = await begin();
  const world = await track(startWorld(postgres));
  const locker = await connect(world.predictorUrl);
  await expectNoticed(world, {
    begin: async () => void (await locker.query("begin; lock table outcome, issued in access exclusive mode")),
    end: async () => {
      await locker.query("rollback");
      await locker.end();
    },
    lastsMs: 120_000,
  });
});

test("exhausted connections", async () => {
  const postgres = await begin({ max_connections: "40" });
  const world = await track(startWorld(postgres));
  const held: pg.Client[] = [];
  const grab = async () => {
    for (;;) {
      const client = await connect(postgres.url).catch(() => null);
      if (client === null) return;
      held.push(client);
    }
  };
  await expectNoticed(world, {
    async begin() {
      await grab();
      for (;;) {
        const { rows } = await held[0]!.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where backend_type = 'client backend' and datname <> 'postgres'`,
        );
        await grab();
        if (rows.length === 0) return;
      }
    },
    end: async () => void (await Promise.all(held.map((client) => client.end()))),
  });
});
