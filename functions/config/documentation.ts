import * as z from "zod";
import { sections } from "./variables.ts";

const start = "<!-- made from functions/config/variables.ts by npm run docs:configuration -->";
const end = "<!-- end -->";

/** `.env.example`: every variable with its default and, above it, what it is for. */
export function toEnvExample(): string {
  const head = [
    "# Copy to .env and change what you need: every variable is optional, an empty one counts as unset.",
    "# `npm start` reads .env; on AWS the same names come from infra/. Made by `npm run docs:configuration`.",
  ];
  const body = Object.entries(sections).flatMap(([title, variables]) => [
    "",
    `# --- ${title} ${"-".repeat(92 - title.length)}`,
    ...Object.entries(variables).flatMap(([name, schema]) => [
      ...wrapped(schema.description ?? "").map((line) => `# ${line}`),
      `${name}=${defaultOf(schema)}`,
    ]),
  ]);
  return `${[...head, ...body].join("\n")}\n`;
}

/** `page` with the table of all variables between its two markers. Throws where it has no markers. */
export function withTable(page: string): string {
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/configuration.md lacks the lines ${start} and ${end}`);
  return `${page.slice(0, from)}${start}\n${toTable()}\n${page.slice(to)}`;
}

function toTable(): string {
  const rows = Object.values(sections).flatMap((variables) =>
    Object.entries(variables).map(([name, schema]) => {
      const value = defaultOf(schema);
      return `| \`${name}\` | ${value && `\`${value}\``} | ${schema.description} |`;
    }),
  );
  return ["| variable | default | what it is |", "|---|---|---|", ...rows].join("\n");
}

function defaultOf(schema: z.ZodType): string {
  return schema instanceof z.ZodDefault ? String(schema.def.defaultValue) : "";
}

/** Lines of at most 98 characters, broken between words. */
function wrapped(text: string): string[] {
  return `${text}.`.match(/.{1,98}(?:\s|$)/g)?.map((line) => line.trim()) ?? [];
}
