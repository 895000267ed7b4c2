import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import type { Scope } from "../../../core/access/scope.ts";

/** What an operation wants of who asks, the name under which it is audited, and whether it costs much to answer. */
export type Rule = {
  scope: Scope | "public" | "share";
  action?: string;
  isHeavy?: true;
  /** The answer is the same for whoever may have it, until the revision moves. */
  isKept?: true;
};

/**
 * Every operation with the scope that it wants: the one place where that is said. `public` ones say nothing of
 * anybody's data; `share` is who has a shared link, and nobody's scope. An operation that is not here answers nobody,
 * and a test fails.
 */
export const rules: Record<string, Rule> = {
  "get /healthz": { scope: "public" },
  "get /readyz": { scope: "public" },
  "get /openapi.json": { scope: "public" },
  "get /reference": { scope: "public" },

  "get /v1/session": { scope: "public" },
  "post /v1/session": { scope: "public", action: "session.open" },
  "delete /v1/session": { scope: "public", action: "session.close" },
  "get /v1/session/sign-in": { scope: "public" },
  "get /v1/session/callback": { scope: "public", action: "session.open" },

  "get /v1/shared-chart": { scope: "share", isHeavy: true },
  "get /v1/sensors": { scope: "read", isHeavy: true, isKept: true },
  "get /v1/sensors/{id}": { scope: "read", isKept: true },
  "get /v1/sensors/{id}/readings": { scope: "read", isHeavy: true },
  "get /v1/sensors/{id}/forecasts": { scope: "read", isHeavy: true },
  "get /v1/sensors/{id}/accuracy": { scope: "read", isHeavy: true },
  "get /v1/forecasts": { scope: "read", isHeavy: true },
  "get /v1/models": { scope: "read", isHeavy: true, isKept: true },
  "get /v1/models/{id}": { scope: "read", isKept: true },
  "get /v1/models/{id}/trial": { scope: "read", isHeavy: true, isKept: true },
  "get /v1/fleets": { scope: "read", isKept: true },
  "get /v1/ops": { scope: "ops" },
  "get /metrics": { scope: "ops" },

  "get /v1/alert-rules": { scope: "read" },
  "get /v1/alert-rules/{id}": { scope: "read" },
  "post /v1/alert-rules": { scope: "alerts", action: "rule.create" },
  "put /v1/alert-rules/{id}": { scope: "alerts", action: "rule.edit" },
  "delete /v1/alert-rules/{id}": { scope: "alerts", action: "rule.remove" },
  "post /v1/alert-rules:rehearse": { scope: "read", isHeavy: true },
  "get /v1/alerts": { scope: "read" },
  "post /v1/alerts/{id}:acknowledge": { scope: "alerts", action: "alert.acknowledge" },
  "get /v1/alert-channels": { scope: "alerts" },
  "post /v1/alert-channels": { scope: "alerts", action: "channel.create" },
  "put /v1/alert-channels/{id}": { scope: "alerts", action: "channel.edit" },
  "delete /v1/alert-channels/{id}": { scope: "alerts", action: "channel.remove" },
  "post /v1/alert-channels/{id}:test": { scope: "alerts", action: "channel.test" },
  "get /v1/alert-channels/{id}/deliveries": { scope: "alerts" },

  "get /v1/annotations": { scope: "read" },
  "get /v1/annotations/{id}": { scope: "read" },
  "post /v1/annotations": { scope: "alerts", action: "annotation.create" },
  "patch /v1/annotations/{id}": { scope: "alerts", action: "annotation.edit" },
  "delete /v1/annotations/{id}": { scope: "alerts", action: "annotation.remove" },
  "post /v1/annotations/{id}:restore": { scope: "alerts", action: "annotation.restore" },

  "patch /v1/sensors/{id}": { scope: "alerts", action: "sensor.edit" },
  "post /v1/forecasts": { scope: "forecast" },
  "post /v1/sensors/{id}:train": { scope: "train", action: "sensor.train" },
  "post /v1/sensors/{id}:rollback": { scope: "promote", action: "sensor.rollback" },
  "post /v1/models/{id}:promote": { scope: "promote", action: "model.promote" },
  "post /v1/fleets/{id}:promote": { scope: "promote", action: "fleet.promote" },
  "post /v1/fleets/{id}:rollback": { scope: "promote", action: "fleet.rollback" },

  "post /v1/sensors/{id}:share": { scope: "admin", action: "chart.share" },
  "get /v1/keys": { scope: "admin" },
  "post /v1/keys": { scope: "admin", action: "key.create" },
  "post /v1/keys/{id}:revoke": { scope: "admin", action: "key.revoke" },
  "get /v1/audit": { scope: "admin" },
};

const operations = new Map<string, string>();

/**
 * "POST", "/v1/models/:command{[^/]+:promote}" -> "post /v1/models/{id}:promote", as OpenAPI writes it; a route's is
 * made once.
 */
export function operationOf(method: string, path: string): string {
  const key = `${method} ${path}`;
  const known = operations.get(key);
  if (known !== undefined) return known;
  const written = path.replace(/:command\{\[\^\/\]\+(:[\w-]+)\}/, "{id}$1").replaceAll(/\/:(\w+)/g, "/{$1}");
  const operation = `${method.toLowerCase()} ${written}`;
  operations.set(key, operation);
  return operation;
}

/** The operation that answers, as OpenAPI writes it ("get /v1/sensors/{id}"); null where none does. */
export function operationIn(c: Context): string | null {
  const route = matchedRoutes(c).findLast(({ method }) => method !== "ALL");
  return route === undefined ? null : operationOf(route.method, route.path);
}
