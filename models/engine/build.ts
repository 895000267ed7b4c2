// Compiles the kernels to models/engine/kernels.{relaxed,simd128}.wasm: node models/engine/build.ts [folder]
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import asc from "assemblyscript/asc";

const sources = ["dense", "lstm", "activation", "loss", "optimiser", "wide"];
const builds = { relaxed: "simd,relaxed-simd", simd128: "simd" };

/**
 * Writes both builds of the kernels into `folder`; the same sources and compiler give the same bytes. Throws the
 * compiler's messages.
 */
export async function buildEngine(folder: string): Promise<void> {
  for (const [name, features] of Object.entries(builds)) {
    const files: { name: string; bytes: Uint8Array | string }[] = [];
    const { error, stderr } = await asc.main(
      [
        ...sources.map((source) => `${source}.ts`),
        ...["--baseDir", join(import.meta.dirname, "assembly"), "--outFile", "kernels.wasm"],
        ...[
          "--optimizeLevel",
          "3",
          "--converge",
          "--noAssert",
          "--runtime",
          "stub",
          "--enable",
          features,
          "--use",
          "abort=",
        ],
      ],
      { writeFile: (file, bytes) => void files.push({ name: file, bytes }) },
    );
    if (error) throw new Error(`${error.message}\n${stderr}`, { cause: error });
    const wasm = files.find((file) => file.name === "kernels.wasm");
    if (!wasm) throw new Error("the compiler wrote no wasm");
    await writeFile(join(folder, `kernels.${name}.wasm`), wasm.bytes);
  }
}

if (import.meta.main) await buildEngine(process.argv[2] ?? import.meta.dirname);
