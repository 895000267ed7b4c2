import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { promoteFleetByHand, rollbackFleet } from "../../../core/operations/promote-fleet.ts";
import { FleetVersion, FleetVersionList, ReasonRequest } from "../contract/models.ts";
import { PathId } from "../parameters.ts";
import { toFleetVersion } from "../present.ts";
import { refuse } from "../problem.ts";
import { answers, jsonBody } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { addVerb } from "../verb.ts";

const tags = ["models"];
const FleetParams = z.object({ id: PathId.openapi({ param: { name: "id", in: "path" }, description: "fleetId" }) });
const mostListed = 100;

const listFleets = createRoute({
  method: "get",
  path: "/v1/fleets",
  tags,
  summary:
    "Versions of fleets' networks, newest first: which one serves, which one is on trial, and of how many sensors",
  responses: answers(200, FleetVersionList, `The newest ${mostListed}, and what serves or is on trial in each group`),
});

export function fleetRoutes({ ports }: ApiServices): OpenAPIHono {
  const app = new OpenAPIHono().openapi(listFleets, async (c) => {
    const [newest, current] = await Promise.all([ports.registry.fleets(mostListed), ports.registry.currentFleets()]);
    // With many groups what serves may be older than the newest versions of all.
    const listed = new Map([...newest, ...current].map((fleet) => [fleet.fleetId, fleet]));
    return c.json({ items: [...listed.values()].map(toFleetVersion) }, 200);
  });
  addVerb(app, {
    path: "/v1/fleets/{id}",
    verb: "promote",
    tags,
    summary: "Make a version the one that serves, for all of its sensors at once",
    description: "Its files are verified first: 422 artefactRejected when they are not what was registered.",
    request: { params: FleetParams, body: jsonBody(ReasonRequest) },
    responses: answers(200, FleetVersion, "The version that serves now"),
    handle: async (c, id) => {
      const { reason } = ReasonRequest.parse(c.req.valid("json" as never));
      const promoted = await promoteFleetByHand(ports, id, reason);
      if (!promoted.ok) {
        const isUnknown = promoted.reason === "unknown";
        const code = isUnknown ? "notFound" : "artefactRejected";
        throw refuse(isUnknown ? 404 : 422, { code, detail: promoted.message });
      }
      return c.json(toFleetVersion((await ports.registry.fleet(id))!), 200);
    },
  });
  addVerb(app, {
    path: "/v1/fleets/{id}",
    verb: "rollback",
    tags,
    summary: "Take back the version that serves: the one before serves again, for all sensors at once",
    request: { params: FleetParams, body: jsonBody(ReasonRequest) },
    responses: answers(200, FleetVersion, "The version that is back"),
    handle: async (c, id) => {
      const { reason } = ReasonRequest.parse(c.req.valid("json" as never));
      const fleet = await ports.registry.fleet(id);
      if (fleet === null) throw refuse(404, { code: "notFound", detail: `fleet ${id} is not registered` });
      const isServing = fleet.status === "champion";
      const back = isServing ? await rollbackFleet(ports, fleet.group, reason) : null;
      if (back === null) {
        const why = isServing ? "there is no version before it to go back to" : `it is ${fleet.status}`;
        throw refuse(409, { code: "conflict", detail: `fleet ${id} is not taken back: ${why}` });
      }
      return c.json(toFleetVersion((await ports.registry.fleet(back.fleetId))!), 200);
    },
  });
  return app;
}
