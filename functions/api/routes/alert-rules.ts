import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { overviewOf, type RuleOverview, readStandings, watches } from "../../../core/alert/overview.ts";
import { type Rule, type RuleBody, systemKinds } from "../../../core/alert/rule.ts";
import { describeBlind, describeEvidence } from "../../../core/alert/words.ts";
import { groupPath } from "../../../core/forecast/profile.ts";
import { Removed, RulePage, RuleRequest, RuleResponse } from "../contract/alerts.ts";
import { Id } from "../contract/common.ts";
import { decodeCursor, pageOf } from "../cursor.ts";
import { staleBefore } from "../freshness.ts";
import { newId } from "../new-id.ts";
import { Cursor, Limit, PathId } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { answers, jsonBody } from "../responses.ts";
import type { ApiServices } from "../services.ts";

const tags = ["alerts"];
export const RuleParams = z.object({
  id: PathId.openapi({ param: { name: "id", in: "path" }, description: "ruleId" }),
});
const Position = z.object({ ruleId: z.string() });
/** What one system can look at in a cycle. */
const mostRules = 20_000;
const mostShown = 20;

const listRules = createRoute({
  method: "get",
  path: "/v1/alert-rules",
  tags,
  summary: "Alert rules with how they stand",
  request: {
    query: z.object({
      sensorId: Id.optional().openapi({
        description: "Only the rules that watch this sensor and are on, with how they stand with it alone",
      }),
      cursor: Cursor.optional(),
      limit: Limit(50, 200),
    }),
  },
  responses: answers(200, RulePage, "A page of rules"),
});

const getRule = createRoute({
  method: "get",
  path: "/v1/alert-rules/{id}",
  tags,
  summary: "One rule with how it stands",
  request: { params: RuleParams },
  responses: answers(200, RuleResponse, "The rule"),
});

const makeRule = createRoute({
  method: "post",
  path: "/v1/alert-rules",
  tags,
  summary: "Make a rule",
  request: { body: jsonBody(RuleRequest) },
  responses: answers(201, RuleResponse, "The rule, which is blind until the next cycle"),
});

const putRule = createRoute({
  method: "put",
  path: "/v1/alert-rules/{id}",
  tags,
  summary: "Replace a rule; where it watches something else than before, it begins anew",
  request: { params: RuleParams, body: jsonBody(RuleRequest) },
  responses: answers(200, RuleResponse, "The rule as it is now"),
});

const deleteRule = createRoute({
  method: "delete",
  path: "/v1/alert-rules/{id}",
  tags,
  summary: "Remove a rule; what it fired stays in the history",
  request: { params: RuleParams },
  responses: answers(200, Removed, "It is gone"),
});

export function alertRuleRoutes(services: ApiServices): OpenAPIHono {
  const { ports, settings } = services;
  const { rules } = ports;
  const describe = async (wanted: Rule[], sensorId: string | null = null): Promise<RuleResponse[]> => {
    const now = ports.clock.now();
    const known = { ...(await readStandings(ports, wanted)), now, staleBefore: staleBefore(now, settings) };
    if (sensorId !== null) known.seen = known.seen.filter((one) => one.sensorId === sensorId);
    return wanted.map((rule) => toResponse(overviewOf(rule, known)));
  };
  const watching = async (sensorId: string, after: string | null): Promise<Rule[]> => {
    const book = await ports.alerts.book();
    return book.rules
      .filter((rule) => (after === null || rule.ruleId > after) && watches(rule, sensorId, book.profiles))
      .sort((a, b) => (a.ruleId < b.ruleId ? -1 : 1));
  };
  return new OpenAPIHono()
    .openapi(listRules, async (c) => {
      const { sensorId = null, cursor, limit } = c.req.valid("query");
      const after = cursor === undefined ? null : decodeCursor(Position, cursor).ruleId;
      const found = sensorId === null ? await rules.list({ limit: limit + 1, after }) : await watching(sensorId, after);
      const { items, nextCursor } = pageOf(found, limit, ({ ruleId }) => ({ ruleId }));
      return c.json({ items: await describe(items, sensorId), nextCursor }, 200);
    })
    .openapi(getRule, async (c) => {
      const [rule] = await describe([await loadRule(services, c.req.valid("param").id)]);
      return c.json(rule!, 200);
    })
    .openapi(makeRule, async (c) => {
      const body = await checked(services, c.req.valid("json"));
      if ((await rules.count()) >= mostRules) {
        throw refuse(409, { code: "conflict", detail: `there are ${mostRules} rules, the most there can be` });
      }
      const now = ports.clock.now();
      const rule = { ...body, ruleId: newId("rule"), createdAt: now, createdBy: c.get("actor").name, since: now };
      await rules.save(rule);
      c.set("object", `alert-rules/${rule.ruleId}`);
      const [made] = await describe([rule]);
      return c.json(made!, 201);
    })
    .openapi(putRule, async (c) => {
      const before = await loadRule(services, c.req.valid("param").id);
      const body = await checked(services, c.req.valid("json"));
      await rules.save({ ...before, ...body, since: ports.clock.now() });
      const [rule] = await describe([await loadRule(services, before.ruleId)]);
      return c.json(rule!, 200);
    })
    .openapi(deleteRule, async (c) => {
      const { id } = c.req.valid("param");
      if (!(await rules.remove(id, ports.clock.now()))) throw unknownRule(id);
      return c.json({ removed: true as const }, 200);
    });
}

/** The rule; 404 where there is none. */
export async function loadRule({ ports }: Pick<ApiServices, "ports">, ruleId: string): Promise<Rule> {
  const rule = await ports.rules.get(ruleId);
  if (rule === null) throw unknownRule(ruleId);
  return rule;
}

function unknownRule(ruleId: string) {
  return refuse(404, { code: "notFound", detail: `alert rule ${ruleId} does not exist; /v1/alert-rules lists them` });
}

/** Refuses with 422 what no system like this one could ever watch, or tell. */
export async function checked({ ports, settings }: ApiServices, body: RuleBody): Promise<RuleBody> {
  const { condition, selector, channelIds } = body;
  const bad = (path: string, message: string) =>
    refuse(422, { code: "badInput", detail: `${path}: ${message}`, errors: [{ path, message }] });
  if ("target" in condition && !settings.targets.some(({ name }) => name === condition.target)) {
    const names = settings.targets.map(({ name }) => name).join(", ");
    throw bad("condition.target", `there is no target ${condition.target}; there are ${names}`);
  }
  if ("withinSeconds" in condition && condition.withinSeconds < settings.stepSeconds) {
    throw bad("condition.withinSeconds", `${condition.withinSeconds} s is less than a step, ${settings.stepSeconds} s`);
  }
  if (
    "clearChance" in body &&
    body.clearChance !== null &&
    "chance" in condition &&
    body.clearChance > condition.chance
  ) {
    throw bad("clearChance", `must not be above the chance that makes it fire, ${condition.chance}`);
  }
  if (systemKinds.has(condition.kind) && !("all" in selector)) {
    throw bad("selector", `a rule on the system (${condition.kind}) watches no sensor: {"all": true}`);
  }
  const group = "group" in selector ? groupPath(selector.group) : "";
  if (group === null) throw bad("selector.group", "must be a path such as site/building/room");
  const known = new Set((await ports.channels.list()).map(({ channelId }) => channelId));
  const unknown = channelIds.find((channelId) => !known.has(channelId));
  if (unknown !== undefined) throw bad("channelIds", `there is no channel ${unknown}; /v1/alert-channels lists them`);
  return "group" in selector ? { ...body, selector: { group } } : body;
}

function toResponse({ rule, state, states, standings }: RuleOverview): RuleResponse {
  const { createdAt, since, ...rest } = rule;
  const { kind } = rule.condition;
  return {
    ...rest,
    createdAt: createdAt.toISOString(),
    since: since.toISOString(),
    state,
    states,
    standings: standings.slice(0, mostShown).map((one) => ({
      ...one,
      since: one.since.toISOString(),
      text: one.state === "blind" ? describeBlind(one.evidence) : describeEvidence(kind, one.evidence),
    })),
  };
}
