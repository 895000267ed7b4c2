import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { gridIndex, toGrid } from "../../../core/data/grid.ts";
import { type Condition, type Observed, observe } from "../../../core/data/observed.ts";
import type { Target } from "../../../core/data/reading.ts";
import { shiftText } from "../../../core/data/shift.ts";
import { addSeconds, floorToStep } from "../../../core/time.ts";
import { ReadingsResponse } from "../contract/readings.ts";
import { toCsv } from "../csv.ts";
import { gridColumn, gridTimes } from "../describe.ts";
import { requireSensor } from "../known.ts";
import { checkRange, Format, SensorParams, Time, wantsCsv } from "../parameters.ts";
import { problems } from "../responses.ts";
import type { ApiServices } from "../services.ts";

const mostPoints = 10_000;
const usualSeconds = 3 * 86_400;

const getReadings = createRoute({
  method: "get",
  path: "/v1/sensors/{id}/readings",
  tags: ["sensors"],
  summary: "Measured values on the grid",
  description: `Means of the valid readings of each step in (from, to], at most ${mostPoints} points; null where there were none. Lone false ones stand apart in heldBack.`,
  request: {
    params: SensorParams,
    query: z.object({
      from: Time.optional().openapi({
        description: "Exclusive, rounded down to the step; 24 h before `to` by default",
      }),
      to: Time.optional().openapi({
        description: "Inclusive, rounded down to the step; now by default and at the latest",
      }),
      format: Format.optional(),
    }),
  },
  responses: {
    200: {
      description: "Columns, or CSV",
      content: { "application/json": { schema: ReadingsResponse }, "text/csv": { schema: z.string() } },
    },
    ...problems,
  },
});

export function readingRoutes(services: ApiServices): OpenAPIHono {
  const { stepSeconds } = services.settings;
  return new OpenAPIHono().openapi(getReadings, async (c) => {
    const { id } = c.req.valid("param");
    const query = c.req.valid("query");
    const now = services.ports.clock.now();
    const to = floorToStep(query.to !== undefined && query.to < now ? query.to : now, stepSeconds);
    const from = floorToStep(query.from ?? addSeconds(to, -86_400), stepSeconds);
    checkRange(from, to, stepSeconds, mostPoints);
    const body = await loadReadings(services, id, { from, to });
    if (!wantsCsv(query.format, c.req.header("Accept"))) return c.json(body, 200);
    const header = ["at", ...body.targets.map(({ target }) => target)];
    const csv = toCsv(
      header,
      body.at.map((time, index) => [time, ...body.targets.map(({ value }) => value[index] ?? null)]),
    );
    return c.body(csv, 200, { "Content-Type": "text/csv; charset=utf-8" });
  });
}

/** What was measured in (from, to], on the grid. Refuses with 404 a sensor that nobody knows. */
export async function loadReadings(
  { ports, views, settings }: ApiServices,
  sensorId: string,
  range: { from: Date; to: Date },
): Promise<ReadingsResponse> {
  const { stepSeconds, targets } = settings;
  const [from, to] = [floorToStep(range.from, stepSeconds), floorToStep(range.to, stepSeconds)];
  // What is unusual is told by what is usual: a few days are looked back.
  const readings = (await ports.follower.readWindows([sensorId], addSeconds(from, -usualSeconds), to)).get(sensorId);
  if (readings === undefined || readings.at.length === 0) await requireSensor({ views }, sensorId);
  const empty = { at: new Float64Array(), values: {} };
  const observed = observe(readings ?? empty, targets, stepSeconds, { upTo: to });
  const grid = toGrid(observed.readings, targets, stepSeconds, { from: addSeconds(from, stepSeconds), upTo: to });
  const at = gridTimes(grid);
  return {
    ...{ sensorId, stepSeconds, from: from.toISOString(), to: to.toISOString(), at },
    targets: targets.map((target, index) => ({
      ...{ target: target.name, unit: target.unit },
      value: gridColumn(grid, index),
      ...oddities(observed.conditions[index], target, from),
      standing: at.map((time) => standingAt(observed, index, new Date(time))),
      everySeconds: observed.conditions[index]?.everySeconds ?? null,
    })),
  };
}

function standingAt({ grid, conditions }: Observed, index: number, at: Date): number | null {
  const point = gridIndex(grid, at);
  return conditions[index]?.isHeld[point] === 1 ? (grid.columns[index]?.[point] ?? null) : null;
}

/** What happened after `from`. */
function oddities(
  condition: Condition | undefined,
  target: Target,
  from: Date,
): Pick<ReadingsResponse["targets"][number], "heldBack" | "shift"> {
  const { dropped = [], heldBack = null, shift = null } = condition ?? {};
  const isShown = ({ at }: { at: number }) => at > from.getTime();
  const readings = [...dropped, ...(heldBack === null ? [] : [heldBack])].filter(isShown);
  return {
    heldBack: readings.map(({ at, value }) => ({ at: new Date(at).toISOString(), value })),
    shift: shift && isShown(shift) ? { at: new Date(shift.at).toISOString(), text: shiftText(shift, target) } : null,
  };
}
