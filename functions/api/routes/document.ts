import { OpenAPIHono } from "@hono/zod-openapi";
import { rules } from "../access/table.ts";
import { renderReference } from "../reference.ts";
import type { ApiServices } from "../services.ts";

/** The contract as OpenAPI 3.1 and as a page for people; both are made from the routes of `api`. */
export function documentRoutes(api: OpenAPIHono, { settings }: ApiServices): OpenAPIHono {
  api.openAPIRegistry.registerComponent("securitySchemes", "apiKey", {
    type: "http",
    scheme: "bearer",
    description:
      "An API key with the scope that the operation names, or `admin`. On loopback nobody needs one by default.",
  });
  api.openAPIRegistry.registerComponent("securitySchemes", "session", {
    type: "apiKey",
    in: "cookie",
    name: "__Host-session",
    description: "The dashboard's session, opened by POST /v1/session or at the issuer.",
  });
  const describe = () => describeContract(api, settings.codeVersion);
  const app = new OpenAPIHono();
  app.get("/openapi.json", (c) => c.json(describe()));
  app.get("/reference", (c) => c.html(renderReference(describe())));
  return app;
}

type Document = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

/** The OpenAPI document of the routes of `api`, each with the scope that it wants. */
export function describeContract(api: OpenAPIHono, version: string): Document {
  return withScopes(
    api.getOpenAPI31Document({
      openapi: "3.1.0",
      info: {
        title: "IoT LSTM Predictor",
        version,
        description:
          "Forecasts of sensors with their bands. Times are RFC 3339 UTC; lists answer { items, nextCursor }; every error is a problem (RFC 9457).",
      },
    }),
  );
}

/** What each operation wants, as the table of rules has it. */
function withScopes(document: Document): Document {
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(item as Record<string, Record<string, unknown>>)) {
      const scope = rules[`${method} ${path}`]?.scope;
      if (scope !== undefined)
        operation.security = scope === "public" ? [] : [{ apiKey: [scope] }, { session: [scope] }];
    }
  }
  return document;
}
