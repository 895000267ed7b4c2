import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { signShare } from "../../../core/access/share.ts";
import { AppError } from "../../../core/errors.ts";
import { lastLead } from "../../../core/model/leads.ts";
import { addSeconds } from "../../../core/time.ts";
import { type SharedChart, SharedChart as SharedChartSchema, ShareRequest, ShareResponse } from "../contract/share.ts";
import { describeSensors } from "../describe.ts";
import { loadSensor, requireSensor } from "../known.ts";
import { chooseTargets, SensorParams } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { answers, jsonBody } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { addVerb } from "../verb.ts";
import { loadReadings } from "./readings.ts";

const tags = ["access"];
/** The past that is shown, in horizons: two thirds of the chart. */
const pastHorizons = 2;
const mostPoints = 2_000;

const getSharedChart = createRoute({
  method: "get",
  path: "/v1/shared-chart",
  tags,
  summary: "The chart that a shared link shows",
  description: "With the link's token as Authorization: Bearer, which opens this and nothing else.",
  responses: answers(200, SharedChartSchema, "The chart as it is now"),
});

/** Links that show one chart to whoever has them, and the chart. */
export function shareRoutes(services: ApiServices): OpenAPIHono {
  const { ports, access } = services;
  const app = new OpenAPIHono().openapi(getSharedChart, async (c) => {
    const { share } = c.get("actor");
    if (share === undefined) throw refuse(403, { code: "forbidden", detail: "this answers who has a shared link" });
    return c.json(await loadChart(services, share), 200);
  });
  addVerb(app, {
    path: "/v1/sensors/{id}",
    verb: "share",
    tags,
    summary: "Make a link that shows one chart of the sensor to whoever has it",
    description: "It ends with its time. All links end at once when SHARE_SECRET_KEY is another one.",
    request: { params: SensorParams, body: jsonBody(ShareRequest) },
    responses: answers(201, ShareResponse, "The link"),
    handle: async (c, sensorId) => {
      const { target, expiresInSeconds } = ShareRequest.parse(c.req.valid("json" as never));
      await requireSensor(services, sensorId);
      chooseTargets(services, target);
      if (access.shareKey === null)
        throw new AppError("misconfigured", "SHARE_SECRET_KEY is not set: nothing is shared");
      const expiresAt = addSeconds(access.clock.now(), expiresInSeconds);
      const token = await signShare(access.shareKey, { sensorId, target, expiresAt });
      c.header("Cache-Control", "no-store");
      const shared = { sensorId, target, expiresAt: expiresAt.toISOString(), token, path: `/embed#${token}` };
      return c.json(shared, 201);
    },
  });
  return app;

  async function loadChart(
    { settings }: ApiServices,
    share: { sensorId: string; target: string; expiresAt: Date },
  ): Promise<SharedChart> {
    const { stepSeconds, clockSpeed, leads } = settings;
    const now = ports.clock.now();
    const horizon = lastLead(leads);
    const [sensor] = await describeSensors(services, [await loadSensor(services, share.sensorId)]);
    const target = sensor?.targets.find((one) => one.target === share.target);
    if (sensor === undefined || target === undefined) {
      throw refuse(404, { code: "notFound", detail: `${share.target} of ${share.sensorId} is not forecast any more` });
    }
    const from = addSeconds(now, -stepSeconds * Math.min(mostPoints, pastHorizons * horizon + 1));
    const readings = await loadReadings(services, share.sensorId, { from, to: now });
    return {
      ...{ sensorId: share.sensorId, name: sensor.profile.name, expiresAt: share.expiresAt.toISOString() },
      ...{ now: now.toISOString(), clockSpeed, stepSeconds, horizon, leads, statusText: sensor.statusText },
      limits: sensor.profile.limits[share.target] ?? null,
      target,
      readings: { ...readings, targets: readings.targets.filter((one) => one.target === share.target) },
    };
  }
}
