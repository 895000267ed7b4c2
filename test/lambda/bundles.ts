import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { FunctionName } from "../../sst.settings.ts";
import { evaluate } from "../infra/evaluate.ts";
import { functionNames, title } from "../infra/world.ts";

/** A function as Lambda would have it: the unpacked upload, and what sst.config.ts says about it. */
export type Bundle = {
  name: FunctionName;
  folder: string;
  handler: string;
  environment: Record<string, string>;
  /** Names of the secrets in its resource.enc. */
  links: string[];
  memoryMb: number;
  timeoutSeconds: number;
  /** Bytes of all files. */
  unzippedBytes: number;
  zippedBytes: number;
};
export type Bundles = Record<FunctionName, Bundle>;

const file = join(import.meta.dirname, "runtime/bundles/bundles.json");

/** Builds the dev stage as `sst deploy` would, and unpacks the very archives that it would upload. */
export async function unpackBundles(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { resources, builds } = await evaluate("dev", { artifacts: folder });
  const bundles = await Promise.all(
    functionNames.map(async (name) => {
      const inputs = resources.find((resource) => resource.name === `${title(name)}Function`)?.inputs ?? {};
      const archive = join(folder, "artifacts", title(name), "code.zip");
      const unpacked = join(folder, name);
      await promisify(execFile)("unzip", ["-q", archive, "-d", unpacked]);
      const { variables } = inputs.environment as { variables: Record<string, string> };
      const bundle: Bundle = {
        name,
        folder: unpacked,
        handler: String(inputs.handler),
        environment: variables,
        links: Object.keys(builds.find(({ functionID }) => functionID === title(name))?.links ?? {}),
        memoryMb: Number(inputs.memorySize),
        timeoutSeconds: Number(inputs.timeout),
        unzippedBytes: await bytesIn(unpacked),
        zippedBytes: (await stat(archive)).size,
      };
      return [name, bundle] as const;
    }),
  );
  await writeFile(file, JSON.stringify(Object.fromEntries(bundles)));
}

/** The bundles that the set-up unpacked. */
export async function readBundles(): Promise<Bundles> {
  return JSON.parse(await readFile(file, "utf8"));
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
