import { cp } from "node:fs/promises";

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
