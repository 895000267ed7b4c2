import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeContract } from "./contract-types.ts";

// npm run client:contract: writes web/client/contract.ts from the API's OpenAPI document; with --check it compares.
const file = join(import.meta.dirname, "../../web/client/contract.ts");
const written = await writeContract();
if (!process.argv.includes("--check")) await writeFile(file, written);
else if ((await readFile(file, "utf8").catch(() => "")) !== written) {
  console.error("web/client/contract.ts is not what the API's contract says: run npm run client:contract");
  process.exitCode = 1;
}
