import { chmod, cp, readdir, readFile, rm } from "node:fs/promises";

const entry = "bundle.mjs";

/**
 * Leaves what the entry reaches: esbuild makes a module of whatever is imported where it is used, also where the
 * function around that import is not in the bundle, and a map of each.
 */
export async function removeUnreached(bundle: string): Promise<void> {
  const files = (await readdir(bundle)).filter((name) => /\.mjs(\.map)?$/.test(name));
  const reached = new Set([entry]);
  for (const name of reached) {
    const code = await readFile(`${bundle}/${name}`, "utf8");
    for (const other of files) if (code.includes(`"./${other}"`)) reached.add(other);
  }
  for (const name of files) if (!reached.has(name)) await rm(`${bundle}/${name}`);
}

/** What Lambda starts Node through. */
export const startFile = "start-node.sh";

/** Puts it into a bundle, to be run whatever a checkout made of its mode. */
export async function addStart(bundle: string): Promise<void> {
  await cp(`infra/${startFile}`, `${bundle}/${startFile}`);
  await chmod(`${bundle}/${startFile}`, 0o755);
}

/**
 * Puts onnxruntime-node as it is installed into a bundle, with one platform's binaries (its own install adds CUDA's).
 */
export async function addOnnxRuntime(bundle: string, architecture: "x86_64" | "arm64"): Promise<void> {
  const platform = architecture === "arm64" ? "arm64" : "x64";
  const paths = [
    "onnxruntime-node/package.json",
    "onnxruntime-node/dist",
    `onnxruntime-node/bin/napi-v6/linux/${platform}`,
    "onnxruntime-common/package.json",
    "onnxruntime-common/dist/cjs",
  ].map((path) => `node_modules/${path}`);
  const filter = (path: string) => !/\.(map|d\.ts)$/.test(path);
  for (const path of paths) await cp(path, `${bundle}/${path}`, { recursive: true, filter });
}

/**
 * Puts the training kernels beside a bundle, where the engine looks for them; it takes the build that the machine
 * runs.
 */
export async function addTrainingEngine(bundle: string): Promise<void> {
  for (const file of ["kernels.relaxed.wasm", "kernels.simd128.wasm"])
    await cp(`models/engine/${file}`, `${bundle}/${file}`);
}
