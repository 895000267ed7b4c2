import { createRoute, type OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { PathId } from "./parameters.ts";

type Verb = Omit<RouteConfig, "method" | "path"> & {
  path: string;
  verb: string;
  handle(c: Context, id: string): Promise<Response>;
};

/**
 * Adds POST {path}:{verb}, where `path` ends in {id}. The router knows no parameter that ends before a colon, so it
 * matches the whole segment and the verb is cut off here, while the contract shows the path as it is written.
 */
export function addVerb(app: OpenAPIHono, { path, verb, handle, ...config }: Verb): void {
  app.openAPIRegistry.registerPath({ ...config, method: "post", path: `${path}:${verb}` });
  const route = createRoute({
    ...config,
    method: "post",
    hide: true,
    path: path.replace("{id}", `:command{[^/]+:${verb}}`),
    request: { ...config.request, params: Command(verb) },
  });
  app.openapi(route, (c: Context) => handle(c, Command(verb).parse(c.req.param()).command));
}

/** "kitchen:train" -> "kitchen" */
const Command = (verb: string) =>
  z.object({
    command: z
      .string()
      .transform((command) => command.slice(0, -verb.length - 1))
      .pipe(PathId),
  });
