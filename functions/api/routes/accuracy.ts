import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { receiptsOf } from "../../../core/annotation/left-out.ts";
import type { AccuracyRow, GroupBy } from "../../../core/forecast/accuracy.ts";
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
    const asked = c.req.valid("query");
    const to = asked.to ?? ports.clock.now();
    const from = asked.from ?? addSeconds(to, -7 * 86_400);
    checkRange(from, to, 86_400, mostDays);
    const groupBy = asked.group_by;
    const { stepSeconds, leads } = settings;
    const query = { sensorId: id, from, to, groupBy, stepSeconds, reach: lastLead(leads) };
    const within = { from, to: addSeconds(to, -0.001) };
    const disturbing = await ports.annotations.disturbing([id], addSeconds(from, -0.001), within.to);
    const leftOut = receiptsOf(disturbing.get(id) ?? [], within, stepSeconds);
    const rows = await views.accuracy({ ...query, withLeftOut: false });
    const whole = leftOut.length === 0 ? [] : await views.accuracy({ ...query, withLeftOut: true });
    if (rows.length + whole.length === 0) await requireSensor({ views }, id);
    const targets = settings.targets.map(({ name, unit }) => {
      const own = rows.filter((row) => row.target === name);
      const groups = own.filter((row) => row.key !== null).map((row) => toGroup(row, groupBy));
      const isTouched = leftOut.some(({ target }) => target === null || target === name);
      const withLeftOut = isTouched ? overallOf(whole, name, groupBy) : null;
      return { target: name, unit, overall: overallOf(rows, name, groupBy), withLeftOut, groups };
    });
    const range = { from: from.toISOString(), to: to.toISOString() };
    return c.json({ sensorId: id, ...range, groupBy, leftOut, targets }, 200);
  });
}

function overallOf(rows: AccuracyRow[], target: string, groupBy: GroupBy): AccuracyGroup | null {
  const overall = rows.find((row) => row.target === target && row.key === null);
  return overall === undefined ? null : toGroup(overall, groupBy);
}

function toGroup(row: AccuracyRow, groupBy: GroupBy): AccuracyGroup {
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
