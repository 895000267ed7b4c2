import { isAscii } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { AppError } from "../../core/errors.ts";
import type { Engine, EngineBuild } from "./engine.ts";
import type { Kernels, WasmApi, WasmMemory } from "./kernels.ts";

const { WebAssembly } = globalThis as unknown as { WebAssembly: WasmApi };

// f32x4.relaxed_madd on three zero vectors, as a module of one function.
const relaxedProbe = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 17, 65, 0, 253, 17, 65, 0, 253, 17, 253, 133, 2, 11],
);

/** The fastest build that this JavaScript engine runs: relaxed SIMD (fused multiply-add), else simd128. */
export function detectBuild(): EngineBuild {
  return WebAssembly.validate(relaxedProbe) ? "relaxed" : "simd128";
}

/**
 * Whether V8 can join pairs of 128-bit vectors to 256-bit ones here: x64, from version 13 (Node 24) on. Half again as
 * fast; the lanes see the same operations in the same order, so the numbers are the same bits.
 */
export function detectWide(): boolean {
  return process.arch === "x64" && Number(process.versions.v8.split(".")[0]) >= 13;
}

/**
 * Loads the kernels; `build` forces one (simd128 gives the same bits on every machine), `wide` the larger tiles. Wide
 * turns V8's revectoriser on for the process, which must happen before the kernels are compiled. Throws misconfigured
 * without SIMD.
 */
export function loadEngine(build: EngineBuild = detectBuild(), wide: boolean = detectWide()): Engine {
  if (wide) setFlagsFromString("--experimental-wasm-revectorize");
  const bytes = readFileSync(join(import.meta.dirname, `kernels.${build}.wasm`));
  if (!WebAssembly.validate(bytes)) {
    throw new AppError("misconfigured", `this JavaScript engine cannot run the ${build} kernels; Node 20 or later can`);
  }
  // The module is our own build: its exports are the kernels.
  const kernels = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Kernels;
  kernels.setWide(wide);
  const { memory } = kernels;
  const floats = (at: number, count: number) => new Float32Array(memory.buffer, at, count);
  // V8 does not clear the upper halves; this native function does, as compilers see to it.
  const some = new Uint8Array(256);
  const settle = () => void (wide && isAscii(some));
  return { build, wide, kernels, floats, settle, ...createArena(memory) };
}

const pageBytes = 65_536;

function createArena(memory: WasmMemory) {
  const taken = new Map<number, number>();
  const free: { at: number; bytes: number }[] = [];
  let end = memory.buffer.byteLength;

  function reserve(count: number): number {
    const bytes = Math.ceil(Math.max(count, 1) / 16) * 64;
    const fit = free.find((block) => block.bytes >= bytes);
    let at = end;
    if (fit) {
      at = fit.at;
      fit.at += bytes;
      fit.bytes -= bytes;
    } else {
      end += bytes;
      const missing = end - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
    }
    taken.set(at, bytes);
    new Uint8Array(memory.buffer, at, bytes).fill(0);
    return at;
  }

  function release(at: number): void {
    const bytes = taken.get(at);
    if (bytes === undefined) return;
    taken.delete(at);
    free.push({ at, bytes });
    free.sort((a, b) => a.at - b.at);
    for (let i = free.length - 1; i > 0; i--) {
      const before = free[i - 1];
      const block = free[i];
      if (before && block && before.at + before.bytes === block.at) {
        before.bytes += block.bytes;
        free.splice(i, 1);
      }
    }
  }
  return { reserve, release };
}
