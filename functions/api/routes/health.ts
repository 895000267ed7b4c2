import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { AppError } from "../../../core/errors.ts";
import { HealthResponse, ReadyResponse } from "../contract/ops.ts";
import { missedCyclesSince, outcomesDueSince } from "../freshness.ts";
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
  summary: "Both databases answer and the newest due slot has its outcomes",
  description:
    "503 with the reasons in `errors` while one of them does not hold. A slot has two cycles' time for the outcomes of all " +
    "its sensors; slots ahead of the clock do not count.",
  responses: answers(200, ReadyResponse, "Ready"),
});

export function healthRoutes(services: ApiServices): OpenAPIHono {
  const { ports, views, settings } = services;
  return new OpenAPIHono()
    .openapi(health, (c) => c.json({ status: "ok" as const, codeVersion: settings.codeVersion }, 200))
    .openapi(ready, async (c) => {
      const now = ports.clock.now();
      const [slot, follower, troubles] = await Promise.allSettled([
        views.newestDoneSlot(now, outcomesDueSince(now, settings)),
        ports.follower.answers(),
        services.troubles?.() ?? noTroubles,
      ]);
      const errors: { path: string; message: string }[] = [];
      if (follower.status === "rejected") errors.push({ path: "follower", message: wordsFor(follower.reason) });
      if (slot.status === "rejected") errors.push({ path: "predictor", message: wordsFor(slot.reason) });
      if (troubles.status === "rejected") errors.push({ path: "system", message: wordsFor(troubles.reason) });
      else for (const [path, message] of Object.entries(troubles.value)) errors.push({ path, message });
      const newest = slot.status === "fulfilled" ? slot.value : null;
      if (slot.status === "fulfilled") {
        const message = cycleFault(newest, now, settings);
        if (message !== null) errors.push({ path: "cycle", message });
      }
      if (errors.length > 0 || newest === null) {
        const detail = errors.map((error) => `${error.path}: ${error.message}`).join("; ");
        throw refuse(503, { code: "notReady", detail, errors });
      }
      return c.json({ status: "ready" as const, newestSlot: newest.toISOString() }, 200);
    });
}

const noTroubles: Record<string, string> = {};

function cycleFault(newest: Date | null, now: Date, settings: ApiSettings): string | null {
  if (newest === null) return "no recent cycle has the outcomes of all its sensors";
  if (newest >= outcomesDueSince(now, settings)) return null;
  const cycles = missedCyclesSince(newest, now, settings);
  return `${cycles} cycles lack outcomes since ${newest.toISOString()}`;
}

/** What a fault means, without its internals: those are in the log. */
function wordsFor(error: unknown): string {
  const code = error instanceof AppError ? error.code : "internal";
  if (code === "misconfigured")
    return "answers, but a table, column or grant is not as the mapping says: npm run check-source";
  if (code === "timeout") return "answers too slowly: statements run into their time limit";
  if (code.endsWith("Unavailable")) return "does not answer";
  return "does not do what it is asked: see the log";
}
