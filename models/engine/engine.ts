import type { Kernels } from "./kernels.ts";

/** Which build of the kernels; only simd128 gives the same bits on every machine. */
export type EngineBuild = "relaxed" | "simd128";

/** One instance of the kernels with its own memory: one per thread, shared by the networks of that thread. */
export type Engine = {
  readonly build: EngineBuild;
  /** Tiles for 256-bit vectors. */
  readonly wide: boolean;
  readonly kernels: Kernels;
  /** Byte address of `count` zeroed float32s, 64-byte aligned. Growing detaches older views. */
  reserve(count: number): number;
  /** Gives a reservation back. */
  release(at: number): void;
  /**
   * To be called when kernels have run: JavaScript is three times slower while 256-bit registers are in use (seen on
   * Intel).
   */
  settle(): void;
  /** A view of the engine's memory; valid until the next `reserve`. */
  floats(at: number, count: number): Float32Array;
};
