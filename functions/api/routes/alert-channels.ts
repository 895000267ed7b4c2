import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { type Channel, secretOf } from "../../../core/alert/channel.ts";
import { checkSecret } from "../channel-secret.ts";
import {
  ChannelList,
  ChannelRequest,
  ChannelResponse,
  DeliveryList,
  Removed,
  TestAccepted,
} from "../contract/alerts.ts";
import { newId } from "../new-id.ts";
import { Limit, PathId } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { answers, jsonBody } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { addVerb } from "../verb.ts";

const tags = ["alerts"];
const ChannelParams = z.object({
  id: PathId.openapi({ param: { name: "id", in: "path" }, description: "channelId" }),
});

const listChannels = createRoute({
  method: "get",
  path: "/v1/alert-channels",
  tags,
  summary: "Where alerts are told; of secrets nothing is shown",
  responses: answers(200, ChannelList, "All channels"),
});

const makeChannel = createRoute({
  method: "post",
  path: "/v1/alert-channels",
  tags,
  summary: "Add a channel",
  request: { body: jsonBody(ChannelRequest) },
  responses: answers(201, ChannelResponse, "The channel"),
});

const putChannel = createRoute({
  method: "put",
  path: "/v1/alert-channels/{id}",
  tags,
  summary: "Replace a channel; a secret that is left out stays",
  request: { params: ChannelParams, body: jsonBody(ChannelRequest) },
  responses: answers(200, ChannelResponse, "The channel"),
});

const deleteChannel = createRoute({
  method: "delete",
  path: "/v1/alert-channels/{id}",
  tags,
  summary: "Remove a channel with what it has not told yet",
  request: { params: ChannelParams },
  responses: answers(200, Removed, "It is gone"),
});

const listDeliveries = createRoute({
  method: "get",
  path: "/v1/alert-channels/{id}/deliveries",
  tags,
  summary: "Each try to deliver, newest first, with what the receiver said",
  request: { params: ChannelParams, query: z.object({ limit: Limit(50, 200) }) },
  responses: answers(200, DeliveryList, "Tries"),
});

export function alertChannelRoutes({ ports, access, settings }: ApiServices): OpenAPIHono {
  const { channels, outbox, queue } = ports;
  const { alertSecretPrefix: prefix = null } = settings;
  const load = async (id: string): Promise<Channel> => {
    const channel = await channels.get(id);
    if (channel !== null) return channel;
    throw refuse(404, { code: "notFound", detail: `channel ${id} does not exist; /v1/alert-channels lists them` });
  };
  const app = new OpenAPIHono()
    .openapi(listChannels, async (c) => c.json({ items: (await channels.list()).map(toResponse) }, 200))
    .openapi(makeChannel, async (c) => {
      const { secret, ...body } = c.req.valid("json");
      checkSecret(body.settings, secret, { isKept: false, prefix });
      const head = { channelId: newId("channel"), createdAt: access.clock.now(), createdBy: c.get("actor").name };
      await channels.save({ ...body, ...head }, secret ?? null);
      c.set("object", `alert-channels/${head.channelId}`);
      return c.json(toResponse(await load(head.channelId)), 201);
    })
    .openapi(putChannel, async (c) => {
      const before = await load(c.req.valid("param").id);
      const { secret, ...body } = c.req.valid("json");
      const isSameKind = before.settings.kind === body.settings.kind;
      checkSecret(body.settings, secret, { isKept: isSameKind && before.hasSecret, prefix });
      const hasNone = secretOf(body.settings) === null;
      // A key that signed for one receiver must not go to another.
      const isSameReceiver = JSON.stringify(before.settings) === JSON.stringify(body.settings);
      if (!hasNone && secret === undefined && before.hasSecret && !isSameReceiver) {
        throw refuse(422, {
          code: "badInput",
          detail: "secret: the channel goes elsewhere now, so give its secret again",
        });
      }
      await channels.save({ ...before, ...body }, hasNone ? null : secret);
      return c.json(toResponse(await load(before.channelId)), 200);
    })
    .openapi(deleteChannel, async (c) => {
      const { channelId } = await load(c.req.valid("param").id);
      await channels.remove(channelId);
      return c.json({ removed: true as const }, 200);
    })
    .openapi(listDeliveries, async (c) => {
      const { channelId } = await load(c.req.valid("param").id);
      const tries = await channels.deliveries(channelId, c.req.valid("query").limit);
      return c.json({ items: tries.map((one) => ({ ...one, at: one.at.toISOString() })) }, 200);
    });
  addVerb(app, {
    path: "/v1/alert-channels/{id}",
    verb: "test",
    tags,
    summary: "Tell a test on it; /deliveries shows what came of it",
    request: { params: ChannelParams },
    responses: answers(202, TestAccepted, "It is on its way"),
    handle: async (c, id) => {
      const { channelId, name, isEnabled } = await load(id);
      if (!isEnabled) throw refuse(409, { code: "conflict", detail: `channel ${name} is off` });
      const now = access.clock.now();
      const idempotencyKey = newId("test");
      const at = ports.clock.now().toISOString();
      const rule = { ruleId: idempotencyKey, name: "Test" };
      const text = `a test of the channel ${name}, by ${c.get("actor").name}`;
      const notice = {
        idempotencyKey,
        kind: "test",
        at,
        severity: "info",
        rule,
        sensor: null,
        text,
        evidence: {},
      } as const;
      await outbox.add({ channelId, ruleId: idempotencyKey, sensorId: "", notice, dueAt: now }, now);
      await queue.send("notify", [{ key: `${channelId}/${idempotencyKey}`, body: { channelId, slot: at } }]);
      return c.json({ channelId, idempotencyKey, status: "queued" as const }, 202);
    },
  });
  return app;
}

function toResponse({ createdAt, ...channel }: Channel): z.infer<typeof ChannelResponse> {
  return { ...channel, createdAt: createdAt.toISOString() };
}
