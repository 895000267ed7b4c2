import { execFile } from "node:child_process";
import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { platform, root } from "./evaluate.ts";

/**
 * Before the tests: SST's platform as `npx sst install` fetches it (once), and a page where the dashboard's build
 * goes.
 */
export async function setup() {
  if (!(await isInstalled())) {
    const env = { ...process.env, SST_SKIP_DEPENDENCY_CHECK: "1", SST_NO_BUN: "1", SST_TELEMETRY_DISABLED: "1" };
    await promisify(execFile)("npx", ["sst", "install", "--stage", "ci"], { cwd: root, env });
  }
  const page = join(root, "web/dist/index.html");
  await access(page).catch(async () => {
    await mkdir(join(root, "web/dist"), { recursive: true });
    await writeFile(page, "<!doctype html>");
  });
}

async function isInstalled(): Promise<boolean> {
  try {
    const wanted = JSON.parse(await readFile(join(root, "node_modules/sst/package.json"), "utf8")).version;
    const version = await readFile(join(platform, "version"), "utf8");
    await access(join(platform, "node_modules/@pulumi/aws/package.json"));
    return version.trim() === wanted;
  } catch {
    return false;
  }
}
