import type { OpenAPIHono } from "@hono/zod-openapi";
import { html, raw } from "hono/html";

type Document = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;
type Html = ReturnType<typeof html>;
type Schema = {
  $ref?: string;
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  anyOf?: Schema[];
  additionalProperties?: Schema | boolean;
};
type Operation = {
  summary?: string;
  description?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: Schema }> }>;
};

/** The contract as one page without scripts, fonts or anything else from elsewhere: it works offline and prints. */
export function renderReference(document: Document): Html {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags?.[0] ?? "other"))];
  const schemas = Object.entries((document.components?.schemas ?? {}) as Record<string, Schema>);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${document.info.title}: API reference</title>
<style>${raw(style)}</style>
</head>
<body>
<nav aria-label="Contents">
<strong>${document.info.title}</strong>
${tags.map((tag) => html`<h2>${tag}</h2><ul>${operations.filter(({ operation }) => operation.tags?.[0] === tag).map(link)}</ul>`)}
<h2>schemas</h2><ul>${schemas.map(([name]) => html`<li><a href="#${name}">${name}</a></li>`)}</ul>
</nav>
<main>
<h1>API reference</h1>
<p>${document.info.description ?? ""} Version ${document.info.version}. <a href="/openapi.json">openapi.json</a></p>
${operations.map(renderOperation)}
<h2>Schemas</h2>
${schemas.map(([name, schema]) => html`<section id="${name}"><h3>${name}</h3>${renderSchema(schema)}</section>`)}
</main>
</body>
</html>`;
}

type Entry = { path: string; method: string; operation: Operation };

const anchor = ({ method, path }: Entry) => `${method}-${path.replaceAll(/[^A-Za-z0-9]+/g, "-")}`;

function link(entry: Entry): Html {
  return html`<li><a href="#${anchor(entry)}"><b>${entry.method.toUpperCase()}</b> ${entry.path}</a></li>`;
}

function scopeOf({ security = [] }: Operation): Html | string {
  const scope = security[0]?.apiKey?.[0];
  return scope === undefined ? "" : html` <em>Scope: ${scope}.</em>`;
}

function renderOperation(entry: Entry): Html {
  const { operation } = entry;
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  return html`<section id="${anchor(entry)}">
<h3><b class="${entry.method}">${entry.method.toUpperCase()}</b> <code>${entry.path}</code></h3>
<p>${operation.summary ?? ""}${scopeOf(operation)}</p>
${operation.description ? html`<p>${operation.description}</p>` : ""}
${operation.parameters?.length ? html`<table><thead><tr><th>parameter</th><th>type</th><th></th></tr></thead><tbody>${operation.parameters.map(renderParameter)}</tbody></table>` : ""}
${body ? html`<p>Body: ${typeOf(body)}</p>` : ""}
<table><thead><tr><th>answer</th><th>type</th><th></th></tr></thead><tbody>${Object.entries(operation.responses ?? {}).map(renderResponse)}</tbody></table>
</section>`;
}

function renderParameter(parameter: NonNullable<Operation["parameters"]>[number]): Html {
  const { name, required, description, schema = {} } = parameter;
  const fallback = schema.default === undefined ? "" : `Default ${schema.default}. `;
  const range = schema.maximum === undefined ? "" : `${schema.minimum} to ${schema.maximum}. `;
  const text = `${fallback}${range}${description ?? schema.description ?? ""}`;
  return html`<tr><td><code>${name}</code>${required ? " (required)" : ""}</td><td>${typeOf(schema)}</td><td>${text}</td></tr>`;
}

function renderResponse([status, response]: [string, NonNullable<Operation["responses"]>[string]]): Html {
  const rows = Object.entries(response.content ?? {});
  const types = rows.map(([type, { schema }]) => html`<code>${type}</code> ${schema ? typeOf(schema) : ""}<br>`);
  return html`<tr><td>${status === "default" ? "else" : status}</td><td>${types}</td><td>${response.description ?? ""}</td></tr>`;
}

function renderSchema(schema: Schema): Html {
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const isOptional = !schema.required?.includes(name);
    return html`<tr><td><code>${name}</code>${isOptional ? " (optional)" : ""}</td><td>${typeOf(property)}</td><td>${property.description ?? ""}</td></tr>`;
  });
  return html`${schema.description ? html`<p>${schema.description}</p>` : ""}
${rows.length > 0 ? html`<table><thead><tr><th>field</th><th>type</th><th></th></tr></thead><tbody>${rows}</tbody></table>` : html`<p>${typeOf(schema)}</p>`}`;
}

function typeOf(schema: Schema): Html {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return html`<a href="#${name}">${name}</a>`;
  }
  if (schema.anyOf)
    return html`${schema.anyOf.map((option, index) => html`${index > 0 ? " or " : ""}${typeOf(option)}`)}`;
  if (schema.enum) return html`${schema.enum.map((value) => JSON.stringify(value)).join(" | ")}`;
  if (schema.items) return html`array of ${typeOf(schema.items)}`;
  if (schema.properties) {
    const fields = Object.entries(schema.properties);
    return html`{ ${fields.map(([name, field], index) => html`${index > 0 ? ", " : ""}${name}: ${typeOf(field)}`)} }`;
  }
  const type = Array.isArray(schema.type) ? schema.type.join(" | ") : (schema.type ?? "any");
  return html`${schema.format ? `${type} (${schema.format})` : type}`;
}

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); font: 15px/1.5 system-ui, sans-serif; }
body { display: grid; grid-template-columns: 19rem minmax(0, 60rem); gap: 2rem; margin: 0; }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem; border-right: 1px solid var(--line); font-size: 13px; box-sizing: border-box; }
nav h2 { font-size: 12px; text-transform: uppercase; margin: 1rem 0 .25rem; }
nav ul { list-style: none; margin: 0; padding: 0; overflow-wrap: anywhere; }
main { padding: 1rem; min-width: 0; }
section { border-top: 1px solid var(--line); padding: .5rem 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .5rem .25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 600; font-size: 13px; }
a { color: inherit; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; border: 0; } }
`;
