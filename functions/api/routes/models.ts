import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { defaultPromotionSettings } from "../../../core/operations/judge.ts";
import { promoteByHand, rollback } from "../../../core/operations/promote.ts";
import { trainMessage } from "../../../core/operations/schedule.ts";
import { findTrial } from "../../../core/operations/trial.ts";
import { floorToStep } from "../../../core/time.ts";
import { Id, Text } from "../contract/common.ts";
import { Model, ModelPage, ReasonRequest, TrainAccepted, Trial } from "../contract/models.ts";
import { decodeCursor, pageOf } from "../cursor.ts";
import { requireSensor } from "../known.ts";
import { Cursor, Limit, PathId, SensorParams } from "../parameters.ts";
import { toModel } from "../present.ts";
import { refuse } from "../problem.ts";
import { answers, jsonBody } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { addVerb } from "../verb.ts";

const tags = ["models"];
const ModelParams = z.object({ id: PathId.openapi({ param: { name: "id", in: "path" }, description: "modelId" }) });

const listModels = createRoute({
  method: "get",
  path: "/v1/models",
  tags,
  summary: "Models, newest first",
  request: {
    query: z.object({
      sensorId: Id.optional(),
      q: Text(256)
        .optional()
        .openapi({ description: "Words, each part of the modelId, sensorId or reason, in any case" }),
      status: z.enum(["challenger", "champion", "retired"]).optional(),
      cursor: Cursor.optional(),
      limit: Limit(50, 200),
    }),
  },
  responses: answers(200, ModelPage, "A page of models"),
});

const getModel = createRoute({
  method: "get",
  path: "/v1/models/{id}",
  tags,
  summary: "One model with its receipt: data hash, range, seed, engine, sha256",
  request: { params: ModelParams },
  responses: answers(200, Model, "The model"),
});

const Position = z.object({ after: Id });

const getTrial = createRoute({
  method: "get",
  path: "/v1/models/{id}/trial",
  tags,
  summary: "The evidence of a challenger's trial: what would be decided now, and on which losses",
  description: "409 for a model that is not a challenger: its `statusReason` says what was decided.",
  request: { params: ModelParams },
  responses: answers(200, Trial, "The trial as it stands"),
});

export function modelRoutes(services: ApiServices): OpenAPIHono {
  const { registry, clock, queue } = services.ports;
  const app = new OpenAPIHono()
    .openapi(listModels, async (c) => {
      const { sensorId, q, status, cursor, limit } = c.req.valid("query");
      const after = cursor === undefined ? undefined : decodeCursor(Position, cursor).after;
      const models = await registry.list({
        limit: limit + 1,
        ...(sensorId === undefined ? {} : { sensorId }),
        ...(q === undefined ? {} : { search: q }),
        ...(status === undefined ? {} : { status }),
        ...(after === undefined ? {} : { after }),
      });
      const { items, nextCursor } = pageOf(models, limit, ({ modelId }) => ({ after: modelId }));
      return c.json({ items: items.map(toModel), nextCursor }, 200);
    })
    .openapi(getModel, async (c) => c.json(await loadModel(services, c.req.valid("param").id), 200))
    .openapi(getTrial, async (c) => {
      const { id } = c.req.valid("param");
      const model = await registry.get(id);
      if (model === null) throw unknownModel(id);
      if (model.status !== "challenger") {
        const detail = `model ${id} is not on trial: it is ${model.status} (${model.statusReason})`;
        throw refuse(409, { code: "conflict", detail });
      }
      const trial = await findTrial(services.ports, model, defaultPromotionSettings(services.settings.leads));
      return c.json({ modelId: id, ...trial }, 200);
    });

  addVerb(app, {
    path: "/v1/models/{id}",
    verb: "promote",
    tags,
    summary: "Make a model its sensor's champion; the one before is retired",
    description:
      "Its artefact is verified first: 422 artefactRejected when the stored files are not what was registered.",
    request: { params: ModelParams, body: jsonBody(ReasonRequest) },
    responses: answers(200, Model, "The new champion"),
    handle: async (c, id) => {
      const { reason } = ReasonRequest.parse(c.req.valid("json" as never));
      const promoted = await promoteByHand(services.ports, id, reason);
      if (!promoted.ok) {
        const isUnknown = promoted.reason === "unknown";
        const code = isUnknown ? "notFound" : "artefactRejected";
        throw refuse(isUnknown ? 404 : 422, { code, detail: promoted.message });
      }
      return c.json(await loadModel(services, id), 200);
    },
  });
  addVerb(app, {
    path: "/v1/sensors/{id}",
    verb: "rollback",
    tags,
    summary: "Make the champion before this one champion again",
    request: { params: SensorParams, body: jsonBody(ReasonRequest) },
    responses: answers(200, Model, "The champion that is back"),
    handle: async (c, id) => {
      const { reason } = ReasonRequest.parse(c.req.valid("json" as never));
      const modelId = await rollback(services.ports, id, reason);
      if (modelId === null) {
        throw refuse(409, { code: "conflict", detail: `sensor ${id} has no earlier champion to go back to` });
      }
      return c.json(await loadModel(services, modelId), 200);
    },
  });
  addVerb(app, {
    path: "/v1/sensors/{id}",
    verb: "train",
    tags,
    summary: "Ask for the sensor's part by its fleet's network, renewed with its newest readings",
    request: { params: SensorParams },
    responses: answers(202, TrainAccepted, "Queued; one training a sensor and slot"),
    handle: async (c, id) => {
      await requireSensor(services, id);
      const slot = floorToStep(clock.now(), services.settings.stepSeconds);
      await queue.send("train", [trainMessage([id], "requested", slot)]);
      return c.json({ sensorId: id, slot: slot.toISOString(), status: "queued" as const }, 202);
    },
  });
  return app;
}

async function loadModel({ ports }: ApiServices, modelId: string): Promise<Model> {
  const model = await ports.registry.get(modelId);
  if (model === null) throw unknownModel(modelId);
  return toModel(model);
}

function unknownModel(modelId: string) {
  return refuse(404, { code: "notFound", detail: `model ${modelId} is not registered` });
}
