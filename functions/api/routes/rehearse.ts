import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Forecast } from "../../../core/forecast/forecast.ts";
import { fromLedger, rehearseRule } from "../../../core/operations/rehearse.ts";
import { addSeconds, floorToStep } from "../../../core/time.ts";
import { RehearsalResponse, RuleRequest, rehearsalSources } from "../contract/alerts.ts";
import { targetTimes } from "../present.ts";
import { refuse } from "../problem.ts";
import { overBacktest } from "../rehearsal-backtest.ts";
import { answers, jsonBody } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { checked } from "./alert-rules.ts";

const daySeconds = 86_400;
const weekSeconds = 7 * daySeconds;
/** What is computed within seconds. */
const backtestSeconds = 3 * daySeconds;
const mostDays = 92;
const at = z.iso.datetime({ offset: true }).optional();

const rehearse = createRoute({
  method: "post",
  path: "/v1/alert-rules:rehearse",
  tags: ["alerts"],
  summary: "What a rule would have done, by the forecasts as they were issued and what then came",
  request: {
    body: jsonBody(
      z
        .strictObject({ rule: RuleRequest, over: z.enum(rehearsalSources).default("ledger"), from: at, to: at })
        .openapi("RehearseRequest", {
          description:
            "`over`: `ledger`, the forecasts as they were issued; `backtest`, what the models that serve now would have said, computed where the models are (not on AWS)",
        }),
    ),
  },
  responses: answers(200, RehearsalResponse, "Counts, events, and the trade-off over chance and limit"),
});

export function rehearseRoutes(services: ApiServices): OpenAPIHono {
  const { ports, views, settings } = services;
  return new OpenAPIHono().openapi(rehearse, async (c) => {
    const given = c.req.valid("json");
    const rule = await checked(services, given.rule);
    const { condition } = rule;
    const isBacktest = given.over === "backtest";
    // A backtest of whole days serves whoever asks again with another chance.
    const now = floorToStep(ports.clock.now(), isBacktest ? daySeconds : settings.stepSeconds);
    const to = given.to === undefined ? now : new Date(given.to);
    const usual = isBacktest ? backtestSeconds : weekSeconds;
    const from = given.from === undefined ? addSeconds(to, -usual) : new Date(given.from);
    if (from >= to || to.getTime() - from.getTime() > mostDays * 86_400_000) {
      throw refuse(422, { code: "badInput", detail: `[from, to) must be a range of up to ${mostDays} days` });
    }
    const seen = await ports.rules.allSeen();
    const sensorIds = seen.flatMap(({ sensorId }) => sensorId || []).sort();
    const fleet = { stepSeconds: settings.stepSeconds, leads: settings.leads, targets: settings.targets };
    const backtest = isBacktest ? overBacktest(services, { from, to }) : null;
    const said = backtest ?? fromLedger(views, fleet);
    const made = await rehearseRule({ ...ports, said }, fleet, { rule, sensorIds, from, to });
    const overText = backtest?.text() ?? "the forecasts as they were issued";
    const iso = (one: Date | null) => one?.toISOString() ?? null;
    const events = made.events.slice(0, mostEvents).map((event, i) => ({
      ...event,
      forecast: i < mostForecasts && condition.kind === "forecast" ? issuedOf(event.forecast) : null,
      ...{ firedAt: iso(event.firedAt), clearedAt: iso(event.clearedAt), from: iso(event.from), to: iso(event.to) },
    }));
    return c.json({ ...made, over: given.over, overText, from: from.toISOString(), to: to.toISOString(), events }, 200);
  });
}

const mostEvents = 500;
const mostForecasts = 100;

function issuedOf(forecast: Forecast | null) {
  if (forecast === null) return null;
  const shorten = (values: number[]) => values.map((value) => Number(value.toPrecision(6)));
  const [q10, q50, q90] = [shorten(forecast.q10), shorten(forecast.q50), shorten(forecast.q90)];
  return { origin: forecast.origin.toISOString(), targetAt: targetTimes(forecast), q10, q50, q90 };
}
