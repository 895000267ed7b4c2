import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Lockfile, lockfileFaults } from "./lockfile.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const allowed = z.object({ allowScripts: z.record(z.string(), z.boolean()) }).parse(JSON.parse(read("package.json")));
const lockfile: Lockfile = JSON.parse(read("package-lock.json"));
const sha512 = `sha512-${"A".repeat(86)}==`;

test("the lock file pins every package by its hash, from the public registry, with scripts that somebody decided on", () => {
  expect(Object.keys(lockfile.packages).length).toBeGreaterThan(200);
  expect(lockfileFaults(lockfile, allowed.allowScripts)).toEqual([]);
});

test.each([
  ["no hash", { integrity: undefined }, {}, /x has no sha512/],
  ["a weak hash", { integrity: "sha1-AAAA" }, {}, /x has no sha512/],
  ["another registry", { resolved: "https://mirror.example/x.tgz" }, {}, /x comes from https:\/\/mirror\.example/],
  ["plain HTTP", { resolved: "http://registry.npmjs.org/x.tgz" }, {}, /x comes from http:/],
  ["a git address", { resolved: "git+ssh://git@github.com/x/x.git" }, {}, /x comes from git/],
  ["a link into the machine", { link: true }, {}, /x is a link/],
  ["a script nobody decided on", { hasInstallScript: true }, {}, /x has an install script/],
  ["a decision on what has no script", {}, { x: true }, /allowScripts names x/],
])("finds %s", (_, planted, scripts, fault) => {
  const packages = { "": {}, "node_modules/y/node_modules/x": { integrity: sha512, ...planted } };
  expect(lockfileFaults({ lockfileVersion: 3, packages }, scripts)).toEqual([expect.stringMatching(fault)]);
});

test("the direct dependencies are pinned exactly", () => {
  const Pins = z.record(z.string(), z.string());
  const Groups = z.object({ dependencies: Pins, optionalDependencies: Pins, devDependencies: Pins });
  for (const pins of Object.values(Groups.parse(JSON.parse(read("package.json"))))) {
    for (const [name, version] of Object.entries(pins)) expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
  }
});
