import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { everyStep } from "../../infra/cron.ts";
import { settingsFor } from "../../sst.settings.ts";
import { root } from "./evaluate.ts";

/**
 * What the TypeScript compiler says to a copy of the deployment's files, `plant`ed as a person might; empty when they
 * have the right types. The copy lies outside the project, where a run that is killed leaves nothing behind.
 */
async function typeErrors(plant?: { file: string; from: RegExp; to: string }): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "types-"));
  onTestFinished(() => rm(copy, { recursive: true, force: true }));
  const shared = ["functions/lambda/edge.ts", "functions/lambda/edge-code.ts", "functions/machine/page-headers.ts"];
  for (const path of ["sst.config.ts", "sst.settings.ts", "infra", ...shared]) {
    await cp(join(root, path), join(copy, path), { recursive: true });
  }
  for (const path of [".sst", "node_modules"]) await symlink(join(root, path), join(copy, path));
  if (plant) {
    const text = await readFile(join(copy, plant.file), "utf8");
    expect(text).toMatch(plant.from);
    await writeFile(join(copy, plant.file), text.replace(plant.from, plant.to));
  }
  const project = join(copy, "tsconfig.json");
  const files = ["sst.config.ts"];
  await writeFile(project, JSON.stringify({ extends: join(import.meta.dirname, "tsconfig.json"), files }));
  return promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["-p", project], { cwd: copy }).then(
    () => "",
    (error: { stdout: string }) => error.stdout,
  );
}

test("the deployment has the types that SST and the aws provider ask for", async () => {
  expect(await typeErrors()).toBe("");
});

test("a wrong duration is a type error", async () => {
  const plant = { file: "infra/functions.ts", from: / seconds`,(?=\s+concurrency)/, to: " secs`," };
  expect(await typeErrors(plant)).toMatch(/secs.* is not assignable/s);
});

test("the forecast cycle starts once in every step", () => {
  expect(everyStep(60, 0)).toBe("cron(* * * * ? *)");
  expect(everyStep(600, 1)).toBe("cron(1/10 * * * ? *)");
  expect(everyStep(3_600, 5)).toBe("cron(5 0/1 * * ? *)");
  expect(everyStep(6 * 3_600, 65)).toBe("cron(5 1/6 * * ? *)");
  expect(everyStep(86_400, 5)).toBe("cron(5 0 * * ? *)");
  expect(() => everyStep(420, 1)).toThrow(/must divide an hour/);
  expect(() => everyStep(30, 0)).toThrow(/must divide an hour/);
});

test("every stage but production may be thrown away", () => {
  expect(settingsFor("production").isProtected).toBe(true);
  expect(settingsFor("anything").isProtected).toBe(false);
});
