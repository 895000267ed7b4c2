import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildEngine } from "../../../models/engine/build.ts";

const committed = join(import.meta.dirname, "../../../models/engine");

test("the committed wasm files are what the sources compile to, byte for byte", async () => {
  const folder = await mkdtemp(join(tmpdir(), "engine-"));
  try {
    await buildEngine(folder);
    for (const name of ["kernels.relaxed.wasm", "kernels.simd128.wasm"]) {
      const [fresh, shipped] = await Promise.all([readFile(join(folder, name)), readFile(join(committed, name))]);
      expect(fresh.equals(shipped), `${name}: run npm run build:engine`).toBe(true);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}, 240_000);
