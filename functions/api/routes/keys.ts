import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { ApiKey } from "../../../core/access/key.ts";
import { createKey } from "../../../core/access/keys.ts";
import { ApiKeyList, ApiKeyResponse, NewKeyRequest, NewKeyResponse } from "../contract/access.ts";
import { PathId } from "../parameters.ts";
import { refuse } from "../problem.ts";
import { answers, jsonBody } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { addVerb } from "../verb.ts";

const tags = ["access"];
const KeyParams = z.object({ id: PathId.openapi({ param: { name: "id", in: "path" }, description: "keyId" }) });

const listKeys = createRoute({
  method: "get",
  path: "/v1/keys",
  tags,
  summary: "API keys, newest first, revoked and expired ones too",
  responses: answers(200, ApiKeyList, "All keys; of their secrets nothing is known"),
});

const makeKey = createRoute({
  method: "post",
  path: "/v1/keys",
  tags,
  summary: "Make an API key; its token is shown this once",
  request: { body: jsonBody(NewKeyRequest) },
  responses: answers(201, NewKeyResponse, "The key with its token"),
});

export function keyRoutes({ access }: ApiServices): OpenAPIHono {
  const app = new OpenAPIHono()
    .openapi(listKeys, async (c) => c.json({ items: (await access.keys.list()).map(toResponse) }, 200))
    .openapi(makeKey, async (c) => {
      const { name, scopes, expiresAt } = c.req.valid("json");
      const ends = expiresAt === null ? null : new Date(expiresAt);
      if (ends !== null && ends <= access.clock.now()) {
        throw refuse(422, { code: "badInput", detail: "expiresAt: lies in the past" });
      }
      const createdBy = c.get("actor").name;
      const { key, token } = await createKey(access, { name, scopes, expiresAt: ends, createdBy });
      c.set("object", `keys/${key.keyId}`);
      c.header("Cache-Control", "no-store");
      return c.json({ key: toResponse(key), token }, 201);
    });
  addVerb(app, {
    path: "/v1/keys/{id}",
    verb: "revoke",
    tags,
    summary: "End a key for good; sessions that it has opened end with it",
    request: { params: KeyParams },
    responses: answers(200, ApiKeyResponse, "The key that has ended"),
    handle: async (c, id) => {
      const key = await access.keys.revoke(id, access.clock.now());
      if (key === null) throw refuse(404, { code: "notFound", detail: `key ${id} does not exist` });
      return c.json(toResponse(key), 200);
    },
  });
  return app;
}

function toResponse(key: ApiKey): z.infer<typeof ApiKeyResponse> {
  const { keyId, name, scopes, createdBy } = key;
  return {
    keyId,
    name,
    scopes,
    createdAt: key.createdAt.toISOString(),
    createdBy,
    expiresAt: key.expiresAt?.toISOString() ?? null,
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
  };
}
