import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Forecast } from "../../../core/forecast/forecast.ts";
import { integerText } from "../../config/number.ts";
import { Id } from "../contract/common.ts";
import { ForecastLine } from "../contract/forecasts.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import { defaultDeadlines } from "../deadline.ts";
import { forecastsToCsv, forecastToLine } from "../export.ts";
import { staleBefore } from "../freshness.ts";
import { Cursor, chooseTargets, GroupPath } from "../parameters.ts";
import { problems } from "../responses.ts";
import type { ApiServices } from "../services.ts";

/** Sensors read at a time: what is held in memory, however large the fleet. */
const chunkSensors = 200;

const getNewest = createRoute({
  method: "get",
  path: "/v1/forecasts",
  tags: ["forecasts"],
  summary: "The newest forecasts of the whole fleet, as a stream",
  description:
    "By sensorId. NDJSON has a line a sensor and target, CSV one a lead. With `limit` so many sensors, and in `X-Next-Cursor` where to go on. A stream that breaks off was not whole.",
  request: {
    query: z.object({
      target: z.string().min(1).max(63).optional().openapi({ description: "All targets by default" }),
      group: GroupPath.optional().openapi({ description: "Sensors of this group and those within it" }),
      format: z.enum(["ndjson", "csv"]).default("ndjson"),
      cursor: Cursor.optional(),
      limit: integerText(1, 1_000_000).optional().openapi({ type: "integer", description: "All sensors by default" }),
    }),
  },
  responses: {
    200: {
      description: "Each sensor's newest forecasts, whatever their age; see `origin`",
      content: { "application/x-ndjson": { schema: ForecastLine }, "text/csv": { schema: z.string() } },
    },
    ...problems,
  },
});

const Position = z.object({ sensorId: Id, at: z.int().min(0) });

/** Bulk reads: every chunk is a statement of its own, made when whoever reads has taken the one before. */
export function bulkRoutes(services: ApiServices): OpenAPIHono {
  const { ports, views, settings } = services;
  return new OpenAPIHono().openapi(getNewest, async (c) => {
    const { target, group, format, cursor, limit } = c.req.valid("query");
    const targets = chooseTargets(services, target);
    const wanted = { ...(group === undefined ? {} : { group }), sort: "sensorId" as const, isDescending: false };
    const order = await views.sensorOrder({ ...wanted, staleBefore: staleBefore(ports.clock.now(), settings) });
    const after = cursor === undefined ? null : decodeCursor(Position, cursor);
    const last = after === null ? -1 : order.sensorIds.indexOf(after.sensorId);
    const start = after !== null && last < 0 ? after.at : last + 1;
    const sensorIds = order.sensorIds.slice(start, limit === undefined ? undefined : start + limit);
    const end = start + sensorIds.length;
    if (end < order.sensorIds.length && sensorIds.length > 0) {
      c.header("X-Next-Cursor", encodeCursor({ sensorId: sensorIds.at(-1)!, at: end }));
    }
    const contentType = format === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson";
    const chunks = readChunks(services, sensorIds, targets, c.req.raw.signal);
    const body = ReadableStream.from(format === "csv" ? csvOf(chunks) : linesOf(chunks));
    return c.body(body.pipeThrough(new TextEncoderStream()), 200, { "Content-Type": contentType });
  });
}

async function* readChunks(
  { views, within, settings }: ApiServices,
  sensorIds: string[],
  targets: string[],
  isGone: AbortSignal,
): AsyncGenerator<Forecast[]> {
  const { readMs } = settings.deadlines ?? defaultDeadlines;
  for (let start = 0; start < sensorIds.length; start += chunkSensors) {
    const ids = sensorIds.slice(start, start + chunkSensors);
    const deadline = AbortSignal.any([AbortSignal.timeout(readMs), isGone]);
    const found = await within(deadline, () => views.newestForecasts(ids, { withMix: false }));
    const bySensor = Map.groupBy(found, (one) => one.sensorId);
    yield ids.flatMap((id) =>
      targets.flatMap((target) => bySensor.get(id)?.find((one) => one.target === target) ?? []),
    );
  }
}

async function* linesOf(chunks: AsyncGenerator<Forecast[]>): AsyncGenerator<string> {
  for await (const forecasts of chunks) if (forecasts.length > 0) yield forecasts.map(forecastToLine).join("");
}

async function* csvOf(chunks: AsyncGenerator<Forecast[]>): AsyncGenerator<string> {
  yield forecastsToCsv([]);
  for await (const forecasts of chunks) {
    if (forecasts.length > 0) yield forecastsToCsv(forecasts, { withHeader: false });
  }
}
