import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { addSeconds } from "../../../core/time.ts";
import { problems } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { describeSource } from "../source-state.ts";

const getMetrics = createRoute({
  method: "get",
  path: "/metrics",
  tags: ["operations"],
  summary: "Everything that is watched, for Prometheus",
  responses: {
    200: { description: "Prometheus' text format", content: { "text/plain": { schema: z.string() } } },
    ...problems,
  },
});

/** Coverage and skill are those of the last hour, over so many sensors at most: a scrape must not read the fleet. */
const accuracySeconds = 3_600;
const accuracySensors = 200;

/** What the databases know at the moment of a scrape, beside what this process counted of itself. */
export function metricRoutes({ ports, views, metrics }: ApiServices): OpenAPIHono {
  return new OpenAPIHono().openapi(getMetrics, async (c) => {
    const now = ports.clock.now();
    const [{ error, ...source }, [cycle], queue, database, sensors, accuracy] = await Promise.all([
      describeSource({ ports }, now),
      ports.ledger.latestCycles(1),
      views.queueCounts(),
      views.databaseSize(),
      views.sensorCount(),
      views.fleetAccuracy(addSeconds(now, -accuracySeconds), accuracySensors),
    ]);
    const state = { source: { ...source, isReachable: error === null }, cycle: cycle ?? null, queue, database };
    const { text, contentType } = await metrics.write({ ...state, sensors, accuracy });
    return c.text(text, 200, { "Content-Type": contentType, "Cache-Control": "no-store" });
  });
}
