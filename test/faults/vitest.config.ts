import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    testTimeout: 1_800_000,
    hookTimeout: 300_000,
    // A busy machine is no failure.
    expect: { poll: { timeout: 60_000 } },
    pool: "forks",
    maxWorkers: 1,
  },
});
