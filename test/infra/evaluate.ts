import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { text } from "node:stream/consumers";
import { build, type Plugin } from "esbuild";
import { type BuildAnswer, type BuildRequest, buildFunction } from "./bundle.ts";

export const root = join(import.meta.dirname, "../..");
export const platform = join(root, ".sst/platform");

/** A resource as Pulumi would be asked for it; inputs with every output resolved and secrets in plain. */
export type Resource = {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  isProtected: boolean;
  isRetained: boolean;
};
export type App = {
  name: string;
  stage: string;
  protect: boolean;
  removal: string;
  providers: { aws: { version: string } };
};
export type Evaluation = { app: App; resources: Resource[]; outputs: Record<string, unknown>; builds: Build[] };
/** A function as it was asked for and built. */
export type Build = BuildRequest & BuildAnswer;

/**
 * A text to replace in a file of the deployment ("infra/queues.ts") before evaluation: a planted fault. It must occur.
 */
export type Patch = { file: string; from: string; to: string };

/** Secret values as `sst secret set` would hold them. */
export const secrets = {
  FollowerDatabaseUrl: "postgres://reader:follower-secret@follower.example/app",
  PredictorDatabaseUrl: "postgres://owner:predictor-secret@predictor.example/forecaster",
  ApiKey: "an-api-key-that-must-not-leak-anywhere",
};

/** The resources of a stage: the real config, built and run as SST's command line does, under Pulumi's mocks. */
export async function evaluate(
  stage: string,
  options: { patches?: Patch[]; artifacts?: string; secrets?: Record<string, string> } = {},
): Promise<Evaluation> {
  const id = randomUUID();
  const work = options.artifacts ?? join(tmpdir(), `evaluate-${id}`);
  const builds: Build[] = [];
  const patches = options.patches ?? [];
  const app = await readApp(stage, id, patches);
  const cli = {
    command: "deploy",
    paths: { home: tmpdir(), root, work, platform },
    state: { version: {} },
  };
  const program = join(platform, `evaluate.${id}.cjs`);
  const answers = join(tmpdir(), `evaluate-${id}.json`);
  const server = createServer((request, response) => {
    text(request)
      .then((body) => answer(JSON.parse(body), builds, join(work, "artifacts")))
      .then((result) => response.end(JSON.stringify({ result })))
      .catch((error: Error) => response.end(JSON.stringify({ error: error.message })));
  });
  try {
    await build({
      stdin: {
        contents: `
          import { recordProgram } from ${JSON.stringify(join(import.meta.dirname, "program.mjs"))};
          import { run } from ${JSON.stringify(join(platform, "src/auto/run.ts"))};
          import config from ${JSON.stringify(join(root, "sst.config.ts"))};
          recordProgram(${JSON.stringify(answers)}, ${JSON.stringify(stage)}, () => run(config.run));`,
        resolveDir: root,
        loader: "ts",
      },
      outfile: program,
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "es2023",
      packages: "external",
      tsconfigRaw: {},
      define: { $app: JSON.stringify(app), $cli: JSON.stringify(cli), $dev: "false" },
      inject: [join(platform, "src/shim/run.js")],
      plugins: [
        reading(patches, `import * as aws from "@pulumi/aws"; import * as sst from "${platform}/src/components";`),
      ],
      logLevel: "silent",
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const port = (server.address() as AddressInfo).port;
    await runProgram(program, port, options.secrets ?? secrets);
    return { app, builds, ...JSON.parse(await readFile(answers, "utf8")) };
  } finally {
    server.close();
    await rm(program, { force: true });
    await rm(answers, { force: true });
    if (!options.artifacts) await rm(work, { recursive: true, force: true });
  }
}

async function answer(call: { method: string; params: [BuildRequest] }, builds: Build[], artifacts: string) {
  if (call.method === "Provider.Aws.Bootstrap") return { asset: "sst-asset", state: "sst-state" };
  if (call.method === "Runtime.Build") {
    const built = await buildFunction(call.params[0], root, artifacts);
    builds.push({ ...built, ...call.params[0] });
    return built;
  }
  throw new Error(`rpc: can't find method ${call.method}`);
}

/**
 * Reads the deployment's files with the patches applied; `imports` go in front of each, as the command line puts them.
 */
function reading(patches: Patch[], imports: string): Plugin {
  return {
    name: "patches",
    setup(builder) {
      const unused = new Set(patches);
      builder.onEnd(() => {
        for (const { file, from } of unused) throw new Error(`${file} no longer has: ${from}`);
      });
      builder.onLoad(
        { filter: /[\\/](sst\.(config|settings)|infra[\\/]\w+|lambda[\\/]edge-code)\.ts$/ },
        async ({ path }) => {
          let contents = await readFile(path, "utf8");
          for (const patch of patches.filter(({ file }) => file === relative(root, path).replaceAll("\\", "/"))) {
            if (contents.includes(patch.from)) unused.delete(patch);
            contents = contents.replace(patch.from, patch.to);
          }
          return { contents: imports + contents, loader: "ts" };
        },
      );
    },
  };
}

async function readApp(stage: string, id: string, patches: Patch[]): Promise<App> {
  const outfile = join(platform, `app.${id}.mjs`);
  try {
    await build({
      stdin: {
        contents: `import config from ${JSON.stringify(join(root, "sst.config.ts"))};export const app = config.app;`,
        resolveDir: root,
        loader: "ts",
      },
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      tsconfigRaw: {},
      plugins: [reading(patches, "const $config = (input) => input;")],
      logLevel: "silent",
    });
    const { app } = await import(outfile);
    return { stage, ...(await app({ stage })) };
  } finally {
    await rm(outfile, { force: true });
  }
}

function runProgram(program: string, port: number, values: Record<string, string>): Promise<void> {
  const env: NodeJS.ProcessEnv = { ...process.env, SST_SERVER: `http://127.0.0.1:${port}`, NODE_OPTIONS: "" };
  for (const [name, value] of Object.entries(values)) env[`SST_SECRET_${name}`] = value;
  return new Promise((resolve, reject) => {
    const child = fork(program, { cwd: root, env, stdio: ["ignore", "pipe", "pipe", "ipc"], execArgv: [] });
    let output = "";
    child.stdout?.on("data", (chunk) => (output += chunk));
    child.stderr?.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(output || `exit ${code}`))));
  });
}
