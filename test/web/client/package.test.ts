import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { startListening } from "./server.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");
const quiet = ["--no-audit", "--no-fund", "--offline"];

let postgres: TestPostgres;
let api: Awaited<ReturnType<typeof startListening>>;
let folder: string;
beforeAll(async () => {
  postgres = await startTestPostgres();
  api = await startListening(postgres);
  folder = await mkdtemp(join(tmpdir(), "client-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await api.close();
  await postgres.stop();
});

const program = `
import { ApiError, createClient, type Forecast } from "@iot-lstm-predictor/client";

const client = createClient({ url: process.argv[2] ?? "" });
const { items } = await client.get("/v1/sensors/{id}/forecasts", { path: { id: "a/b/../c" }, query: { target: "temperature" } });
const [first] = items;
if (first !== undefined && "coverage" in first) {
  const forecast: Forecast = first;
  console.log(forecast.sensorId, forecast.q50.length);
}
let sensors = 0;
for await (const { status } of client.each("/v1/sensors", { query: { limit: 3 } })) sensors += status === "ok" ? 1 : 1;
console.log(sensors);
try {
  await client.post("/v1/models/{id}:promote", { path: { id: "none" }, body: { reason: "try" } });
} catch (error) {
  if (error instanceof ApiError) console.log(error.problem?.code);
}
// @ts-expect-error There is no such path.
const noPath = () => client.get("/v1/sensor");
// @ts-expect-error The id is missing.
const noId = () => client.get("/v1/sensors/{id}", {});
// @ts-expect-error A reason is a text.
const noReason = () => client.post("/v1/models/{id}:promote", { path: { id: "a" }, body: { reason: 7 } });
// @ts-expect-error A forecast has no median of that name.
const noField = (forecast: Forecast) => forecast.median;
export const unused = [noPath, noId, noReason, noField];
`;
const settings = {
  compilerOptions: {
    ...{ strict: true, module: "NodeNext", target: "ES2022", lib: ["ES2022", "DOM"], outDir: "built", types: ["node"] },
    typeRoots: [join(root, "node_modules/@types")],
  },
  files: ["program.ts", "forecast.ts"],
};

it("is packed, installed in an empty folder, type-checked without looking away, and used", async () => {
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: join(root, "web/client"),
  });
  const [{ filename, files }]: [{ filename: string; files: { path: string }[] }] = JSON.parse(
    stdout.slice(stdout.indexOf("[\n")),
  );
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["LICENSE", "README.md", "dist/client.js", "dist/client.d.ts"]));
  expect(
    paths.filter((path) => !/^(dist\/[\w-]+(\.d)?\.(js|ts)|LICENSE|README\.md|package\.json)$/.test(path)),
  ).toEqual([]);

  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "consumer", type: "module", private: true }));
  await run("npm", ["install", ...quiet, join(folder, filename)], { cwd: folder });
  await writeFile(join(folder, "program.ts"), program);
  await copyFile(join(root, "docs/examples/forecast.ts"), join(folder, "forecast.ts"));
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], { cwd: folder });
  const { stdout: said } = await run(process.execPath, ["built/program.js", api.url], { cwd: folder });
  const sensors = (await api.db.selectFrom("sensor").selectAll().execute()).length;
  expect(said.trim().split("\n")).toEqual(["a/b/../c 24", String(sensors), "notFound"]);

  const env = { ...process.env, PREDICTOR_URL: api.url, PREDICTOR_KEY: "" };
  const example = await run(process.execPath, ["built/forecast.js", "a/b/../c", "humidity"], { cwd: folder, env });
  expect(example.stdout.match(/ %$/gm)).toHaveLength(24);
  const unknown = run(process.execPath, ["built/forecast.js", "nobody"], { cwd: folder, env });
  await expect(unknown).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("nobody is not known") });
});
