import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { EngineBuild } from "../../../models/engine/engine.ts";

const run = promisify(execFile);

/** Trains at full size in a process of its own under these V8 flags; a hash of the weights and the last loss. */
async function train(flags: string[], build: EngineBuild, wide: boolean): Promise<string> {
  const script = join(import.meta.dirname, "train-hash.ts");
  const { stdout } = await run(process.execPath, [...flags, script, build, String(wide)]);
  return stdout;
}

// Small tests run in V8's baseline tier; long training runs what its optimiser, and its revectoriser, made of the
// kernels.
test.each<EngineBuild>(["simd128", "relaxed"])(
  "%s gives the same bits in every compiler tier and with wide tiles",
  async (build) => {
    const baseline = await train(["--liftoff-only"], build, false);
    expect(baseline).toMatch(/^[0-9a-f]{64} 0\.\d+$/);
    expect(await train(["--no-liftoff"], build, false)).toBe(baseline);
    expect(await train(["--no-liftoff"], build, true)).toBe(baseline);
    expect(await train([], build, true)).toBe(baseline);
  },
  300_000,
);
