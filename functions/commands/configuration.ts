import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toEnvExample, withTable } from "../config/documentation.ts";

// npm run docs:configuration: writes .env.example and the table in docs/configuration.md from the list of variables.
const root = join(import.meta.dirname, "../..");
const page = join(root, "docs/configuration.md");
await writeFile(join(root, ".env.example"), toEnvExample());
await writeFile(page, withTable(await readFile(page, "utf8")));
