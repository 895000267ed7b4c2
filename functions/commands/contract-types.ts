import { compile, type JSONSchema } from "json-schema-to-typescript";
import { createApi } from "../api/app.ts";
import { describeContract } from "../api/routes/document.ts";
import type { ApiServices } from "../api/services.ts";

type Schema = { [key: string]: unknown };
type Content = Record<string, { schema?: Schema }>;
type Operation = {
  summary?: string;
  parameters?: { name: string; in: string; required?: boolean; schema?: Schema; description?: string }[];
  requestBody?: { content?: Content };
  responses?: Record<string, { content?: Content }>;
};

const banner =
  "// Written by `npm run client:contract` from the API's OpenAPI document. Change the contract, not this file.";

/** What the compiler adds to each definition: a comment of its own, or the last lines of one. */
const note = '\\* This interface was referenced by `\\w+`\'s JSON-Schema\\n \\* via the `definition` "\\w+"\\.\\n';
const notes = new RegExp(`/\\*\\*\\n ${note} \\*/\\n| \\*\\n ${note}`, "g");

/** The TypeScript text of the API's contract: its shapes, and `Operations` with what each request takes and answers. */
export async function writeContract(): Promise<string> {
  const { paths = {}, components } = describeContract(createApi(withoutServices()), "");
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]) => [`${method} ${path}`, operation]),
  ) as [string, Operation][];
  const described = operations.map(([name, operation]) => [name, describe(operation)] as const);
  const shapes = (components?.schemas ?? {}) as Record<string, Schema>;
  const asked = reachable(
    operations.map(([, operation]) => operation.requestBody),
    shapes,
  );
  const definitions = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, asked.has(name) ? shape : always(shape)]),
  );
  const root = {
    // A redirect or a page for people is nothing that a program asks for.
    ...object(Object.fromEntries(described.flatMap(([name, shape]) => (shape === null ? [] : [[name, shape]])))),
    description: "What each request takes and answers, by method and path.",
    definitions,
  };
  const text = await compile(relocated(root) as JSONSchema, "Operations", {
    bannerComment: banner,
    additionalProperties: false,
    unreachableDefinitions: true,
    style: { printWidth: 120 },
  });
  return text
    .replaceAll(notes, "")
    .replaceAll(/^( *\* )(.*)$/gm, (_, head: string, words: string) => wrap(head, words));
}

const widest = 120;

/** A line of a comment as lines that are no wider than the code. */
function wrap(head: string, words: string): string {
  const lines: string[] = [];
  for (const word of words.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && head.length + last.length + 1 + word.length <= widest)
      lines.push(`${lines.pop()} ${word}`);
    else lines.push(word);
  }
  return lines.map((line) => head + line).join("\n");
}

/** Routes are described without being answered: nothing of this is ever used. */
function withoutServices(): ApiServices {
  const settings = { allowedOrigins: [], isDemo: false };
  const limits = { readsPerSecond: 1, writesPerMinute: 1, trainingsPerDay: 1 };
  const nothing = { ports: { follower: {} }, views: {}, metrics: {}, access: { limits }, settings };
  return nothing as unknown as ApiServices;
}

function describe({ summary, parameters = [], requestBody, responses = {} }: Operation): Schema | null {
  const part = (place: string) => {
    const own = parameters.filter((parameter) => parameter.in === place);
    if (own.length === 0) return {};
    const required = own.filter((one) => one.required === true).map((one) => one.name);
    return { [place]: object(Object.fromEntries(own.map(({ name, schema }) => [name, schema ?? {}])), required) };
  };
  const body = requestBody?.content?.["application/json"]?.schema;
  const success = Object.entries(responses).filter(([status]) => status.startsWith("2"));
  const contents = success.flatMap(([, { content = {} }]) => Object.entries(content));
  const schemas = (isWanted: (type: string) => boolean) =>
    new Map(contents.filter(([type]) => isWanted(type)).map(([, { schema }]) => [JSON.stringify(schema), schema]));
  const json = [...schemas((type) => type === "application/json").values()];
  const line = [...schemas((type) => type === "application/x-ndjson").values()];
  if (json.length + line.length === 0) return null;
  return {
    ...object({
      ...part("path"),
      ...part("query"),
      ...(body === undefined ? {} : { body }),
      ...(json.length === 0 ? {} : { answer: json.length === 1 ? json[0] : { anyOf: json } }),
      ...(line.length === 0 ? {} : { line: line[0] }),
    }),
    ...(summary === undefined ? {} : { description: summary }),
  };
}

/** An object with exactly these properties, all of them there unless `required` says which. */
function object(properties: Record<string, unknown>, required = Object.keys(properties)): Schema {
  return { type: "object", properties, required, additionalProperties: false };
}

/** Names of the shapes that the parts refer to, through others as well. */
function reachable(parts: unknown, shapes: Record<string, Schema>): Set<string> {
  const found = new Set<string>();
  const visit = (part: unknown) => {
    for (const [, name] of JSON.stringify(part ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name === undefined || found.has(name)) continue;
      found.add(name);
      visit(shapes[name]);
    }
  };
  visit(parts);
  return found;
}

/** What may be left out of a request because it has a default stands in every answer. */
function always(shape: unknown): Schema {
  return changed(shape, (part) => {
    const { properties, required = [] } = part as { properties?: Record<string, Schema>; required?: string[] };
    if (properties === undefined) return part;
    const given = Object.keys(properties).filter((name) => "default" in (properties[name] ?? {}));
    return { ...part, required: [...new Set([...required, ...given])] };
  });
}

/** References as JSON Schema alone has them, without what types do not say. */
function relocated(shape: unknown): Schema {
  return changed(shape, ({ example: _example, minItems: _least, maxItems: _most, ...part }) =>
    typeof part.$ref === "string" ? { $ref: part.$ref.replace("#/components/schemas/", "#/definitions/") } : part,
  );
}

function changed(shape: unknown, change: (part: Schema) => Schema): Schema {
  const visit = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(visit);
    if (typeof part !== "object" || part === null) return part;
    return change(Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, visit(inner)])));
  };
  return visit(shape) as Schema;
}
