import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { Limits } from "../../../core/forecast/profile.ts";
import type { SensorRow } from "../../../core/forecast/sensor.ts";
import { Id, Profile, Sensor, SensorPage, SensorStatus, Text } from "../contract.ts";
import { decodeCursor, encodeCursor } from "../cursor.ts";
import { describeSensors } from "../describe.ts";
import { staleBefore } from "../freshness.ts";
import { loadSensor, requireSensor } from "../known.ts";
import { Cursor, GroupPath, Limit, SensorParams } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { answers, jsonBody } from "../responses.ts";
import type { ApiServices } from "../services.ts";

const Statuses = z
  .string()
  .transform((text) => text.split(","))
  .pipe(z.array(SensorStatus))
  .openapi({ type: "string", example: "stale,refused", description: `Any of ${SensorStatus.options.join(", ")}` });

const listSensors = createRoute({
  method: "get",
  path: "/v1/sensors",
  tags: ["sensors"],
  summary: "All sensors with state, recent history and latest forecasts",
  request: {
    query: z.object({
      status: Statuses.optional(),
      q: Text(256).optional().openapi({ description: "Part of the sensorId, name, group or place, in any case" }),
      group: GroupPath.optional().openapi({ description: "Sensors of this group and those within it" }),
      sort: z.enum(["sensorId", "attention"]).default("sensorId").openapi({
        description: "`attention`: refused, stale, baseline, waiting, ok; its pages show the state at the first page",
      }),
      cursor: Cursor.optional(),
      limit: Limit(50, 200),
    }),
  },
  responses: answers(200, SensorPage, "A page of sensors"),
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
    group: GroupPath.nullable().optional(),
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
  sort: z.enum(["sensorId", "attention"]),
  status: SensorStatus,
  sensorId: Id,
  asOf: z.iso.datetime().nullable(),
});

export function sensorRoutes(services: ApiServices): OpenAPIHono {
  const { ports, views, settings } = services;
  return new OpenAPIHono()
    .openapi(listSensors, async (c) => {
      const { status, q, group, sort, cursor, limit } = c.req.valid("query");
      const after = cursor === undefined ? undefined : decodeCursor(Position, cursor);
      if (after !== undefined && after.sort !== sort) {
        throw refuse(422, { code: "badInput", detail: `cursor: it belongs to sort=${after.sort}` });
      }
      const now = ports.clock.now();
      // Outcomes never change, so those of the first page's moment give every later page the same order.
      const asOf = sort === "sensorId" ? null : after?.asOf ? new Date(after.asOf) : now;
      const rows = await views.sensors({
        ...(status === undefined ? {} : { statuses: status }),
        ...(q === undefined ? {} : { search: q }),
        ...(group === undefined ? {} : { group }),
        ...(after === undefined ? {} : { after }),
        sort,
        asOf,
        staleBefore: staleBefore(asOf ?? now, settings),
        limit: limit + 1,
      });
      const items = await describeSensors(services, rows.slice(0, limit));
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return c.json({ items, nextCursor: last === undefined ? null : toCursor(last, sort, asOf) }, 200);
    })
    .openapi(getSensor, async (c) => {
      const { id } = c.req.valid("param");
      const [sensor] = await describeSensors(services, [await loadSensor(services, id)]);
      return c.json(sensor!, 200);
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

function toCursor(row: SensorRow, sort: "sensorId" | "attention", asOf: Date | null): string {
  return encodeCursor({ sort, status: row.status, sensorId: row.sensorId, asOf: asOf?.toISOString() ?? null });
}
