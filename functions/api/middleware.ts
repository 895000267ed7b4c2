import type { MiddlewareHandler } from "hono";
import type { Metrics } from "../../core/metrics.ts";
import type { Log } from "../../core/ports.ts";
import { operationIn } from "./access/table.ts";
import { isSafe } from "./method.ts";
import { isSameOrigin } from "./origin.ts";
import { refuse } from "./problem.ts";
import type { ApiSettings } from "./services.ts";

/** True for the paths that a supervisor asks every few seconds. */
export const isProbe = (path: string) => path === "/healthz" || path === "/readyz";

/**
 * One log line a request, without headers, query or body: none of them can leak a key. Probes are not logged, nor,
 * where `withReads` is false, reads that went well.
 */
export function logRequests(log: Log, withReads: boolean): MiddlewareHandler {
  return async (c, next) => {
    const startedMs = performance.now();
    await next();
    if (isProbe(c.req.path) || (!withReads && isSafe(c.req.method) && c.res.status < 400)) return;
    log.info("api.request", {
      requestId: c.get("requestId"),
      method: c.req.method,
      path: c.req.path.slice(0, 200),
      status: c.res.status,
      elapsedMs: Math.round(performance.now() - startedMs),
    });
  };
}

/** Counts every answer under its route; what no route answers is "none". */
export function measureRequests(metrics: Pick<Metrics, "request">): MiddlewareHandler {
  return async (c, next) => {
    const startedMs = performance.now();
    await next();
    const labels = { operation: operationIn(c) ?? "none", status: c.res.status };
    metrics.request(labels, (performance.now() - startedMs) / 1000);
  };
}

/** Refuses changes that a browser sends from a page of another site: an open API on localhost is not theirs to use. */
export function refuseOtherSites(settings: Pick<ApiSettings, "allowedOrigins">): MiddlewareHandler {
  return (c, next) => {
    const origin = c.req.header("Origin");
    if (isSafe(c.req.method) || origin === undefined || settings.allowedOrigins.includes(origin)) return next();
    if (isSameOrigin(c)) return next();
    throw refuse(403, { code: "forbidden", detail: "this page's origin may not change anything here" });
  };
}
