import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [
      "test/infra/**",
      "test/lambda/**",
      "test/faults/**",
      "test/install/production.test.ts",
      "node_modules/**",
    ],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A busy machine is no failure.
    expect: { poll: { timeout: 60_000 } },
    pool: "forks",
    maxWorkers: 2,
  },
});
