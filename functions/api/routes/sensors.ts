import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { Limits } from "../../../core/forecast/profile.ts";
import { sensorSorts } from "../../../core/forecast/sensor.ts";
import { integerText } from "../../config/number.ts";
import { Id, orNull, Text } from "../contract/common.ts";
import { FleetPage } from "../contract/fleet.ts";
import { Profile, Sensor, SensorPage, SensorStatus } from "../contract/sensors.ts";
import { withLevels } from "../counter-level.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import { describeSensors } from "../describe.ts";
import { describeFleet, toSummary } from "../fleet-view.ts";
import { staleBefore } from "../freshness.ts";
import { loadSensor, requireSensor } from "../known.ts";
import { keptOrders } from "../orders.ts";
import { Cursor, GroupPath, Limit, SensorParams } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { answers, jsonBody } from "../responses.ts";
import type { Revision } from "../revision.ts";
import type { ApiServices } from "../services.ts";

const Statuses = z
  .string()
  .transform((text) => text.split(","))
  .pipe(z.array(SensorStatus))
  .openapi({ type: "string", example: "stale,refused", description: `Any of ${SensorStatus.options.join(", ")}` });

const sorts = sensorSorts.flatMap((sort) => [sort, `-${sort}`] as const);

const ListQuery = z.object({
  view: z.enum(["summary", "fleet"]).default("summary").openapi({
    description: "`fleet`: with last values, forecast, skill and coverage per target, and a sparse history on one grid",
  }),
  status: Statuses.optional(),
  q: Text(256).optional().openapi({
    description: "Words, each part of the sensorId, name, group, place, modelId or reason, in any case",
  }),
  group: GroupPath.optional().openapi({ description: "Sensors of this group and those within it" }),
  sort: z.enum(sorts).default("sensorId").openapi({
    description:
      "`attention`: refused, stale, baseline, waiting, ok, and within one of them what fares worst first; `age`: the oldest newest reading first; `chance`: the likeliest crossing of a limit first; `-` turns the order round",
  }),
  changedSince: z
    .string()
    .regex(/^\d{1,19}$/, "must be the version of an earlier page")
    .optional()
    .openapi({
      description: "The `version` of an earlier page: only sensors that have changed since",
    }),
  cursor: Cursor.optional(),
  offset: integerText(0, 10_000_000).optional().openapi({
    type: "integer",
    description: "Skips so many sensors, for tables that are scrolled; programs follow `nextCursor`",
  }),
  limit: Limit(50, 200),
});

type ListQuery = z.infer<typeof ListQuery>;

const listSensors = createRoute({
  method: "get",
  path: "/v1/sensors",
  tags: ["sensors"],
  summary: "Sensors with their state, a page at a time: searched, filtered, sorted, counted",
  description:
    "All pages of a list show the order at its first one, so that nobody is missed; an order that is no longer known is made anew, and goes on behind the last sensor.",
  request: { query: ListQuery },
  responses: answers(200, z.union([SensorPage, FleetPage]), "A page of sensors"),
});

const getSensor = createRoute({
  method: "get",
  path: "/v1/sensors/{id}",
  tags: ["sensors"],
  summary: "One sensor",
  request: { params: SensorParams },
  responses: answers(200, Sensor, "The sensor"),
});

const words = (most: number) => Text(most).trim().min(1).nullable().optional();
const ProfileRequest = z
  .strictObject({
    name: words(100),
    group: orNull(GroupPath).optional(),
    place: words(200),
    notes: words(5_000),
    limits: z.record(z.string().max(63), Limits.nullable()).optional(),
  })
  .openapi("ProfileRequest", { description: "What is left out stays; null takes back what was edited here" });

const patchSensor = createRoute({
  method: "patch",
  path: "/v1/sensors/{id}",
  tags: ["sensors"],
  summary: "Name a sensor, group it, give its targets limits",
  request: { params: SensorParams, body: jsonBody(ProfileRequest) },
  responses: answers(200, Profile, "The profile as it is now"),
});

const Position = z.object({
  sort: z.enum(sorts),
  revision: z.string().max(64),
  offset: z.int().min(0),
  sensorId: Id,
});

export function sensorRoutes(services: ApiServices, revision: Revision): OpenAPIHono {
  const { ports, views, settings } = services;
  const orders = keptOrders(views);

  /** The order that the query's list has, and where its page begins in it. */
  async function placeOf({ view: _, cursor, offset, limit: __, sort, status, q, group, changedSince }: ListQuery) {
    const after = cursor === undefined ? undefined : decodeCursor(Position, cursor);
    if (after !== undefined && after.sort !== sort) {
      throw refuse(422, { code: "badInput", detail: `cursor: it belongs to sort=${after.sort}` });
    }
    const wanted = {
      ...(status === undefined ? {} : { statuses: status }),
      ...(q === undefined ? {} : { search: q }),
      ...(group === undefined ? {} : { group }),
      ...(changedSince === undefined ? {} : { changedSince }),
      sort: sensorSorts.find((one) => one === sort.replace("-", ""))!,
      isDescending: sort.startsWith("-"),
    };
    const first = after && orders.before(wanted, after.revision);
    if (after && first) return { order: first, start: after.offset };
    const order = await orders.now(wanted, await revision.now(), staleBefore(ports.clock.now(), settings));
    const last = after ? order.sensorIds.indexOf(after.sensorId) : -1;
    return { order, start: last < 0 ? (after?.offset ?? offset ?? 0) : last + 1 };
  }

  return new OpenAPIHono()
    .openapi(listSensors, async (c) => {
      const query = c.req.valid("query");
      const { view, sort, limit } = query;
      const { order, start } = await placeOf(query);
      const end = start + limit;
      const sensorIds = order.sensorIds.slice(start, end);
      const rows = await views.sensors(sensorIds, staleBefore(ports.clock.now(), settings));
      const sensorId = end < order.sensorIds.length ? sensorIds.at(-1) : undefined;
      const position = { sort, revision: order.revision, offset: end, sensorId };
      const { counts, version } = order;
      const total = order.sensorIds.length;
      const fields = { nextCursor: sensorId === undefined ? null : encodeCursor(position), total, counts, version };
      if (view === "fleet") return c.json({ ...(await describeFleet(services, rows)), ...fields }, 200);
      return c.json({ items: rows.map(toSummary), ...fields }, 200);
    })
    .openapi(getSensor, async (c) => {
      const { id } = c.req.valid("param");
      const [sensor] = await describeSensors(services, [await loadSensor(services, id)]);
      return c.json(await withLevels(services, sensor!), 200);
    })
    .openapi(patchSensor, async (c) => {
      const { id } = c.req.valid("param");
      const change = c.req.valid("json");
      await requireSensor(services, id);
      requireTargets(settings, Object.keys(change.limits ?? {}));
      return c.json(await ports.profiles.change(id, change, ports.clock.now()), 200);
    });
}

/** Refuses with 422 names that no target has. */
function requireTargets({ targets }: ApiServices["settings"], names: string[]): void {
  const unknown = names.find((name) => !targets.some((target) => target.name === name));
  if (unknown === undefined) return;
  const known = targets.map((target) => target.name).join(", ");
  throw refuse(422, { code: "badInput", detail: `limits: there is no target ${unknown}; there are ${known}` });
}
