/// <reference path="../.sst/platform/config.d.ts" />
import type { StageSettings } from "../sst.settings.ts";
import { edgeOf } from "./edge.ts";
import type { Functions } from "./functions.ts";

/** One address for the dashboard (from S3) and the API (the function's URL). */
export function createWeb(settings: StageSettings, { api }: Functions, apiKey: sst.Secret) {
  const { domain, requestsPerFiveMinutes } = settings;
  const none = { coreRuleSet: false, knownBadInputs: false, sqlInjection: false };
  const router = new sst.aws.Router("Web", {
    edge: edgeOf(apiKey, settings.embedOrigins),
    ...(domain ? { domain } : {}),
    ...(requestsPerFiveMinutes ? { waf: { rateLimitPerIp: requestsPerFiveMinutes, managedRules: none } } : {}),
  });
  for (const path of ["/v1", "/healthz", "/readyz", "/openapi.json", "/reference"]) router.route(path, api.url);
  new sst.aws.StaticSite("Dashboard", {
    path: ".",
    build: { command: "npm run build:web", output: "web/dist" },
    environment: { API_URL: router.url },
    dev: { command: "npm run dev:web", url: "http://localhost:5173" },
    router: { instance: router },
    transform: { assets: { cors: false } },
  });
  return router;
}
