import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Forecast, LeadRow } from "../../../core/forecast/forecast.ts";
import { leadsText } from "../../../core/model/leads.ts";
import { addSeconds } from "../../../core/time.ts";
import { integerText } from "../../config/number.ts";
import { ForecastList, type LeadSeries, LeadSeriesList } from "../contract/forecasts.ts";
import { loadLevel } from "../counter-level.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import { forecastsToCsv, seriesToCsv } from "../export.ts";
import { loadSensor } from "../known.ts";
import { Cursor, checkRange, chooseTargets, Format, Limit, SensorParams, Time, wantsCsv } from "../parameters.ts";
import { loadScores, toForecastResponse } from "../present.ts";
import { refuse } from "../problem.ts";
import { problems } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { bulkRoutes } from "./bulk.ts";
import { onDemandRoutes } from "./on-demand.ts";

const mostPoints = 10_000;

const Query = z.object({
  target: z.string().min(1).max(63).optional().openapi({ description: "All targets by default" }),
  as_of: Time.optional().openapi({ description: "What was known then: only forecasts issued and scores made by it" }),
  origin: Time.optional().openapi({ description: "Forecasts of exactly this origin" }),
  lead: integerText(1, Number.MAX_SAFE_INTEGER)
    .optional()
    .openapi({ type: "integer", description: "A series instead: what was forecast this many steps ahead" }),
  from: Time.optional().openapi({ description: "Inclusive: of the origin, or with `lead` of targetAt" }),
  to: Time.optional().openapi({ description: "Exclusive: of the origin, or with `lead` of targetAt" }),
  cursor: Cursor.optional(),
  limit: Limit(1, 100).openapi({ description: "Origins a page, newest first; all their targets come with them" }),
  format: Format.optional(),
});
type Query = z.infer<typeof Query>;

const getForecasts = createRoute({
  method: "get",
  path: "/v1/sensors/{id}/forecasts",
  tags: ["forecasts"],
  summary: "Served forecasts: the latest, those of a past moment, or one lead over time",
  description:
    "Without parameters the latest forecast of each target; `nextCursor` leads to older origins. 422 with `have` and `need` while there is too little data for a first forecast.",
  request: { params: SensorParams, query: Query },
  responses: {
    200: {
      description: "Forecasts (or series, with `lead`), columnar; or CSV with a row per lead",
      content: {
        "application/json": { schema: z.union([ForecastList, LeadSeriesList]) },
        "text/csv": { schema: z.string() },
      },
    },
    ...problems,
  },
});

const Position = z.object({ before: z.iso.datetime() });

export function forecastRoutes(services: ApiServices): OpenAPIHono {
  return new OpenAPIHono()
    .openapi(getForecasts, async (c) => {
      const { id } = c.req.valid("param");
      const query = c.req.valid("query");
      const targets = chooseTargets(services, query.target);
      const isCsv = wantsCsv(query.format, c.req.header("Accept"));
      if (query.lead !== undefined) {
        const items = await loadSeries(services, id, targets, query, query.lead);
        return isCsv ? csv(c, seriesToCsv(items)) : c.json({ items, nextCursor: null }, 200);
      }
      const { forecasts, nextCursor } = await loadForecasts(services, id, targets, query);
      if (isCsv) {
        if (nextCursor !== null) c.header("X-Next-Cursor", nextCursor);
        return csv(c, forecastsToCsv(forecasts));
      }
      const asOf = query.as_of ?? null;
      const scores = await loadScores(services.views, forecasts, services.ports.clock.now(), asOf);
      const items = forecasts.map(async (forecast) => ({
        ...toForecastResponse(forecast, scores),
        ...(await loadLevel(services, forecast)),
      }));
      return c.json({ items: await Promise.all(items), nextCursor }, 200);
    })
    .route("/", onDemandRoutes(services))
    .route("/", bulkRoutes(services));
}

async function loadForecasts(services: ApiServices, sensorId: string, targets: string[], query: Query) {
  const { views } = services;
  const asOf = query.as_of ?? null;
  const before = query.cursor === undefined ? null : new Date(decodeCursor(Position, query.cursor).before);
  const { origin } = query;
  const isLatest = !origin && !query.from && !query.to && !before && query.limit === 1;
  const to = earliest(query.to ?? null, before);
  const range = origin ? { from: origin, to: addSeconds(origin, 0.001) } : { from: query.from ?? null, to };
  const found = isLatest
    ? await views.latestForecasts([sensorId], targets, asOf)
    : await views.forecasts({ sensorId, targets, ...range, asOf, limit: query.limit + 1 });
  if (found.length === 0) await explainNone(services, sensorId, isLatest && asOf === null);
  const origins = [...new Set(found.map((forecast) => forecast.origin.getTime()))].sort((a, b) => b - a);
  if (isLatest) {
    const oldest = origins.at(-1);
    return { forecasts: found, nextCursor: oldest === undefined ? null : toCursor(oldest) };
  }
  const kept = origins.slice(0, query.limit);
  const forecasts = found.filter((forecast) => kept.includes(forecast.origin.getTime()));
  const last = origins.length > kept.length ? kept.at(-1) : undefined;
  return { forecasts, nextCursor: last === undefined ? null : toCursor(last) };
}

/**
 * Nothing found: 404 if the sensor is unknown, 422 if it still has too little data, else an empty list is the answer.
 */
async function explainNone(services: ApiServices, sensorId: string, isLatest: boolean): Promise<void> {
  const { lastOutcome: outcome } = await loadSensor(services, sensorId);
  if (!isLatest || outcome?.status !== "refused" || outcome.have === null || outcome.need === null) return;
  const { have, need } = outcome;
  const detail = outcome.reasonText ?? `sensor ${sensorId}: ${have} of ${need} steps; waits for readings`;
  throw refuse(422, { code: "tooLittleData", detail, have, need });
}

async function loadSeries(services: ApiServices, sensorId: string, targets: string[], query: Query, lead: number) {
  const { views, settings, ports } = services;
  const { stepSeconds, leads } = settings;
  if (!leads.includes(lead)) {
    const message = `forecasts have leads ${leadsText(leads)} of ${stepSeconds} s`;
    throw refuse(422, { code: "badInput", detail: `lead: ${message}`, errors: [{ path: "lead", message }] });
  }
  const ahead = lead * stepSeconds;
  const to = query.to ?? addSeconds(ports.clock.now(), ahead);
  const from = query.from ?? addSeconds(to, -86_400 - ahead);
  checkRange(from, to, stepSeconds, mostPoints);
  const origins = { from: addSeconds(from, -ahead), to: addSeconds(to, -ahead) };
  const rows = await views.leadSeries({ sensorId, targets, lead, ...origins, asOf: query.as_of ?? null });
  if (rows.length === 0) await explainNone(services, sensorId, false);
  return targets.map((target) => toSeries(sensorId, target, lead, services, rows));
}

function toSeries(
  sensorId: string,
  target: string,
  lead: number,
  { settings }: ApiServices,
  all: LeadRow[],
): LeadSeries {
  const rows = all.filter((row) => row.target === target);
  return {
    sensorId,
    target,
    unit: settings.targets.find(({ name }) => name === target)?.unit ?? "",
    lead,
    targetAt: rows.map((row) => addSeconds(row.origin, lead * row.stepSeconds).toISOString()),
    origin: rows.map((row) => row.origin.toISOString()),
    q10: rows.map((row) => row.q10),
    q50: rows.map((row) => row.q50),
    q90: rows.map((row) => row.q90),
  };
}

function csv(c: Context, text: string): Response {
  return c.body(text, 200, { "Content-Type": "text/csv; charset=utf-8" });
}

function earliest(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

function toCursor(originMs: Forecast["origin"] | number): string {
  return encodeCursor({ before: new Date(originMs).toISOString() });
}
