import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    globalSetup: "setup.ts",
    env: { AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "stand-in", AWS_SECRET_ACCESS_KEY: "stand-in" },
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // A busy machine is no failure.
    expect: { poll: { timeout: 60_000 } },
    pool: "forks",
    maxWorkers: 1,
  },
});
