import { setTimeout as delay } from "node:timers/promises";
import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { floorToStep } from "../../../core/time.ts";
import { OnDemandRequest, OnDemandResponse } from "../contract/forecasts.ts";
import { loadScores, toForecastResponse } from "../present.ts";
import { answers, jsonBody } from "../responses.ts";
import type { ApiServices } from "../services.ts";

const pollMs = 250;

const requestForecasts = createRoute({
  method: "post",
  path: "/v1/forecasts",
  tags: ["forecasts"],
  summary: "Forecast one or several sensors now",
  description:
    "Each sensor gets its one outcome of the current slot: the same request again gives the same answer. 202 while some are still queued.",
  request: { body: jsonBody(OnDemandRequest) },
  responses: {
    ...answers(200, OnDemandResponse, "Every sensor is decided"),
    ...answers(202, OnDemandResponse, "Some sensors are still queued; ask again"),
  },
});

export function onDemandRoutes(services: ApiServices): OpenAPIHono {
  const { ports, views, settings } = services;
  return new OpenAPIHono().openapi(requestForecasts, async (c) => {
    const sensorIds = [...new Set(c.req.valid("json").sensorIds)];
    const slot = floorToStep(ports.clock.now(), settings.stepSeconds);
    const known = await findKnown(services, sensorIds);
    const decided = new Set((await views.outcomes(known, slot)).map((outcome) => outcome.sensorId));
    const open = known.filter((sensorId) => !decided.has(sensorId));
    if (open.length > 0) await services.requestForecasts({ slot, sensorIds: open });
    const outcomes = await awaitOutcomes(services, known, slot);
    const forecasts = await views.forecastsOfSlot(known, slot);
    const scores = await loadScores(views, forecasts, ports.clock.now(), null);

    const items = sensorIds.map((sensorId) => {
      const outcome = outcomes.find((candidate) => candidate.sensorId === sensorId);
      const own = settings.targets.flatMap(({ name }) =>
        forecasts.filter((forecast) => forecast.sensorId === sensorId && forecast.target === name),
      );
      return {
        sensorId,
        status: outcome?.status ?? (known.includes(sensorId) ? ("queued" as const) : ("notFound" as const)),
        reason: outcome?.reason ?? null,
        reasonText: outcome?.reasonText ?? null,
        have: outcome?.have ?? null,
        need: outcome?.need ?? null,
        forecasts: own.map((forecast) => toForecastResponse(forecast, scores)),
      };
    });
    const body = { slot: slot.toISOString(), items };
    return items.some((item) => item.status === "queued") ? c.json(body, 202) : c.json(body, 200);
  });
}

/** Sensors that a cycle has seen, or that have readings: those are remembered from now on. */
async function findKnown({ views, ports }: ApiServices, sensorIds: string[]): Promise<string[]> {
  const seen = await views.knownSensors(sensorIds);
  const unseen = sensorIds.filter((sensorId) => !seen.has(sensorId));
  const newest = unseen.length === 0 ? new Map<string, Date | null>() : await ports.follower.newestReadings(unseen);
  const fresh = unseen.filter((sensorId) => newest.get(sensorId));
  if (fresh.length > 0) await ports.ledger.rememberSensors(fresh, ports.clock.now());
  return sensorIds.filter((sensorId) => seen.has(sensorId) || newest.get(sensorId));
}

async function awaitOutcomes({ views, settings }: ApiServices, sensorIds: string[], slot: Date) {
  const deadlineMs = performance.now() + (settings.onDemandWaitMs ?? 10_000);
  for (;;) {
    const outcomes = await views.outcomes(sensorIds, slot);
    if (outcomes.length >= sensorIds.length || performance.now() + pollMs > deadlineMs) return outcomes;
    await delay(pollMs);
  }
}
