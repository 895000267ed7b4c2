import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { everyStep, settingsFor } from "../../sst.settings.ts";
import { root } from "./evaluate.ts";

/** What the TypeScript compiler says to a config file beside sst.config.ts; empty when it has the right types. */
async function typeErrors(file: string): Promise<string> {
  const project = join(import.meta.dirname, `tsconfig.${process.pid}.${file}.json`);
  onTestFinished(() => rm(project, { force: true }));
  await writeFile(project, JSON.stringify({ extends: "./tsconfig.json", files: [`../../${file}`] }));
  const tsc = join(root, "node_modules/.bin/tsc");
  return promisify(execFile)(tsc, ["-p", project], { cwd: root }).then(
    () => "",
    (error: { stdout: string }) => error.stdout,
  );
}

test("sst.config.ts has the types that SST and the aws provider ask for", async () => {
  expect(await typeErrors("sst.config.ts")).toBe("");
});

test("a wrong duration is a type error", async () => {
  const file = "sst.planted.config.ts";
  onTestFinished(() => rm(join(root, file), { force: true }));
  const config = await readFile(join(root, "sst.config.ts"), "utf8");
  await writeFile(join(root, file), config.replace(/ seconds`,(?=\s+concurrency)/, " secs`,"));
  expect(await typeErrors(file)).toMatch(/secs.* is not assignable/s);
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
