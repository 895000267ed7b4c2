import { execFile } from "node:child_process";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { setup as setUpPlatform } from "../infra/platform.ts";
import { unpackBundles } from "./bundles.ts";
import { clientFile } from "./lambda.ts";

const version = "4.0.2";
const folder = join(import.meta.dirname, "runtime");

/**
 * Before the tests: AWS's runtime client (built natively, once), SST's platform, and every bundle as it is uploaded.
 */
export async function setup() {
  await access(clientFile).catch(installClient);
  await setUpPlatform();
  await unpackBundles(join(folder, "bundles"));
}

async function installClient() {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ private: true, allowScripts: { "aws-lambda-ric": true } }),
  );
  const packageName = `aws-lambda-ric@${version}`;
  await promisify(execFile)("npm", ["install", "--no-audit", "--no-fund", "--save-exact", packageName], {
    cwd: folder,
  });
  await access(clientFile).catch((cause: unknown) => {
    throw new Error(`${packageName} was not built: it needs autoconf automake libtool cmake make g++ unzip`, { cause });
  });
}
