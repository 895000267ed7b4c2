import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { HealthResponse, ReadyResponse } from "../contract.ts";
import { missedCyclesSince, staleBefore } from "../freshness.ts";
import { refuse } from "../problem.ts";
import { answers } from "../responses.ts";
import type { ApiServices, ApiSettings } from "../services.ts";

const health = createRoute({
  method: "get",
  path: "/healthz",
  tags: ["operations"],
  summary: "The process answers",
  responses: answers(200, HealthResponse, "It does"),
});

const ready = createRoute({
  method: "get",
  path: "/readyz",
  tags: ["operations"],
  summary: "Both databases answer and the newest cycle is fresh",
  description: "503 with the reasons in `errors` while one of them does not hold.",
  responses: answers(200, ReadyResponse, "Ready"),
});

export function healthRoutes({ ports, views, settings }: ApiServices): OpenAPIHono {
  return new OpenAPIHono()
    .openapi(health, (c) => c.json({ status: "ok" as const, codeVersion: settings.codeVersion }, 200))
    .openapi(ready, async (c) => {
      const [slot, follower] = await Promise.allSettled([views.newestSlot(), ports.follower.state()]);
      const errors: { path: string; message: string }[] = [];
      if (follower.status === "rejected") errors.push({ path: "follower", message: "does not answer" });
      if (slot.status === "rejected") errors.push({ path: "predictor", message: "does not answer" });
      const newest = slot.status === "fulfilled" ? slot.value : null;
      if (slot.status === "fulfilled") {
        const message = cycleFault(newest, ports.clock.now(), settings);
        if (message !== null) errors.push({ path: "cycle", message });
      }
      if (errors.length > 0 || newest === null) {
        const detail = errors.map((error) => `${error.path}: ${error.message}`).join("; ");
        throw refuse(503, { code: "notReady", detail, errors });
      }
      return c.json({ status: "ready" as const, newestSlot: newest.toISOString() }, 200);
    });
}

function cycleFault(newest: Date | null, now: Date, settings: ApiSettings): string | null {
  if (newest === null) return "no cycle has run yet";
  if (newest >= staleBefore(now, settings)) return null;
  return `${missedCyclesSince(newest, now, settings)} cycles are missing since ${newest.toISOString()}`;
}
