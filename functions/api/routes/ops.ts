import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { Cycle } from "../../../core/forecast/cycle.ts";
import { OpsResponse } from "../contract.ts";
import { answers } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { describeSource } from "../source-state.ts";

const shownCycles = 24;

const getOps = createRoute({
  method: "get",
  path: "/v1/ops",
  tags: ["operations"],
  summary: "Source lag and freshness, cycles, queues, database size",
  responses: answers(200, OpsResponse, "The state of the system"),
});

export function opsRoutes(services: ApiServices): OpenAPIHono {
  const { ports, views, settings } = services;
  return new OpenAPIHono().openapi(getOps, async (c) => {
    const now = ports.clock.now();
    const [source, cycles, queue, database, sensors] = await Promise.all([
      describeSource(services, now),
      ports.ledger.latestCycles(shownCycles),
      views.queueCounts(),
      views.databaseSize(),
      views.sensorCount(),
    ]);
    const { clockSpeed, isDemo, stepSeconds, horizon, codeVersion } = settings;
    const body: OpsResponse = {
      now: now.toISOString(),
      clockSpeed,
      isDemo,
      stepSeconds,
      horizon,
      source,
      cycles: cycles.map(toCycleResponse),
      queue,
      database,
      sensors,
      codeVersion,
    };
    return c.json(body, 200);
  });
}

function toCycleResponse(cycle: Cycle) {
  return {
    ...cycle,
    slot: cycle.slot.toISOString(),
    openedAt: cycle.openedAt.toISOString(),
    fannedOutAt: cycle.fannedOutAt?.toISOString() ?? null,
  };
}
