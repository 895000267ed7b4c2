import { OpenAPIHono } from "@hono/zod-openapi";
import { renderReference } from "../reference.ts";
import type { ApiServices } from "../services.ts";

/** The contract as OpenAPI 3.1 and as a page for people; both are made from the routes of `api`. */
export function documentRoutes(api: OpenAPIHono, { settings }: ApiServices): OpenAPIHono {
  api.openAPIRegistry.registerComponent("securitySchemes", "apiKey", {
    type: "http",
    scheme: "bearer",
    description: "Wanted by POST where the operator has set a key; reading is open.",
  });
  const describe = () =>
    api.getOpenAPI31Document({
      openapi: "3.1.0",
      info: {
        title: "IoT LSTM Predictor",
        version: settings.codeVersion,
        description:
          "Forecasts of sensors with their bands. Times are RFC 3339 UTC; lists answer { items, nextCursor }; every error is a problem (RFC 9457).",
      },
    });
  const app = new OpenAPIHono();
  app.get("/openapi.json", (c) => c.json(describe()));
  app.get("/reference", (c) => c.html(renderReference(describe())));
  return app;
}
