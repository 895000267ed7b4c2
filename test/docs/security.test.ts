import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
/** As the table's head says. */
const short: Record<string, string> = {
  ...{ access: "functions/api/access/access.test.ts", openid: "functions/api/access/openid.test.ts" },
  ...Object.fromEntries(["app", "socket", "fuzz", "document"].map((name) => [name, `functions/api/${name}.test.ts`])),
  roles: "functions/adapters/postgres/roles.test.ts",
  cancel: "functions/adapters/postgres/connection/cancel.test.ts",
};

const table = await readFile(join(root, "docs/security-table.md"), "utf8");
const rows = table.split("\n").filter((line) => /^\| (API\d|\d)/.test(line));
const cited = rows.flatMap((row) => {
  const [, section = "", , shown = ""] = row.split(" | ").length === 3 ? ["", ...row.split(" | ")] : [];
  return [...shown.matchAll(/`([^`]+)` "([^"]+)"/g)].map(([, file = "", name = ""]) => ({ section, file, name }));
});

test("each row of the security table cites a test", () => {
  expect(rows.length).toBeGreaterThan(45);
  const sections = new Set(cited.map(({ section }) => section));
  expect(rows.filter((row) => !sections.has(row.split(" | ")[0]!))).toEqual([]);
});

test("each test that the security table cites is there", async () => {
  const missing: string[] = [];
  for (const { file, name } of cited) {
    const text = await readFile(join(root, "test", short[file] ?? file), "utf8").catch(() => "");
    if (!text.includes(name)) missing.push(`${file}: ${name}`);
  }
  expect(missing).toEqual([]);
});
