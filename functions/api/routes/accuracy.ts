import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { AccuracyRow } from "../../../core/forecast/accuracy.ts";
import { lastLead } from "../../../core/model/leads.ts";
import { addSeconds } from "../../../core/time.ts";
import { type AccuracyGroup, AccuracyResponse } from "../contract/accuracy.ts";
import { requireSensor } from "../known.ts";
import { checkRange, SensorParams, Time } from "../parameters.ts";
import { toCoverage } from "../present.ts";
import { answers } from "../responses.ts";
import type { ApiServices } from "../services.ts";

/** A month reads some hundred thousand pairs: about a second. */
const mostDays = 31;

const getAccuracy = createRoute({
  method: "get",
  path: "/v1/sensors/{id}/accuracy",
  tags: ["accuracy"],
  summary: "How good the forecasts were, against what was measured and against the yardsticks",
  request: {
    params: SensorParams,
    query: z.object({
      group_by: z.enum(["lead", "day", "model"]).default("lead"),
      from: Time.optional().openapi({ description: "Inclusive, of targetAt; 7 days before `to` by default" }),
      to: Time.optional().openapi({ description: `Exclusive, of targetAt; now by default; at most ${mostDays} days` }),
    }),
  },
  responses: answers(200, AccuracyResponse, "Accuracy per target, over all and by group"),
});

export function accuracyRoutes({ ports, views, settings }: ApiServices): OpenAPIHono {
  return new OpenAPIHono().openapi(getAccuracy, async (c) => {
    const { id } = c.req.valid("param");
    const query = c.req.valid("query");
    const to = query.to ?? ports.clock.now();
    const from = query.from ?? addSeconds(to, -7 * 86_400);
    checkRange(from, to, 86_400, mostDays);
    const groupBy = query.group_by;
    const { stepSeconds, leads } = settings;
    const rows = await views.accuracy({ sensorId: id, from, to, groupBy, stepSeconds, reach: lastLead(leads) });
    if (rows.length === 0) await requireSensor({ views }, id);
    const targets = settings.targets.map(({ name, unit }) => {
      const own = rows.filter((row) => row.target === name);
      const overall = own.find((row) => row.key === null);
      const groups = own.filter((row) => row.key !== null).map((row) => toGroup(row, groupBy));
      return { target: name, unit, overall: overall === undefined ? null : toGroup(overall, groupBy), groups };
    });
    return c.json({ sensorId: id, from: from.toISOString(), to: to.toISOString(), groupBy, targets }, 200);
  });
}

function toGroup(row: AccuracyRow, groupBy: "lead" | "day" | "model"): AccuracyGroup {
  const { n, mae, rmse, pinball, persistenceMae, seasonalNaiveMae, skillPersistence, skillSeasonalNaive } = row;
  return {
    key: row.key ?? "all",
    lead: groupBy === "lead" && row.key !== null ? Number(row.key) : null,
    n,
    mae,
    rmse,
    pinball,
    coverage: toCoverage(n, row.covered),
    persistenceMae,
    seasonalNaiveMae,
    skillPersistence,
    skillSeasonalNaive,
  };
}
