import { z } from "@hono/zod-openapi";
import { actorKinds } from "../../../core/access/actor.ts";
import { Scope } from "../../../core/access/scope.ts";
import { Text, time } from "./common.ts";

/** The shapes of keys, sessions and the audit. */
const Scopes = z.array(Scope);

export const ApiKeyResponse = z
  .object({
    keyId: z.string(),
    name: z.string(),
    scopes: Scopes,
    createdAt: time,
    createdBy: z.string(),
    expiresAt: time.nullable(),
    /** To the minute. */
    lastUsedAt: time.nullable(),
    revokedAt: time.nullable(),
  })
  .openapi("ApiKey");
export type ApiKeyResponse = z.infer<typeof ApiKeyResponse>;
export const ApiKeyList = z.object({ items: z.array(ApiKeyResponse) }).openapi("ApiKeyList");
export const NewKeyRequest = z
  .object({
    name: Text(100).trim().min(1),
    scopes: Scopes.min(1).max(7),
    expiresAt: z.iso.datetime({ offset: true }).nullable().default(null),
  })
  .openapi("NewKeyRequest");
export const NewKeyResponse = z
  .object({ key: ApiKeyResponse, token: z.string() })
  .openapi("NewKey", { description: "The token is shown this once and stored nowhere" });

/** Who asks, and how they may say who they are. */
export const SessionResponse = z
  .object({
    mode: z.enum(["open", "public-read", "private"]),
    actor: z.object({ kind: z.enum(actorKinds), name: z.string(), scopes: Scopes }),
    /** Whether people sign in at an issuer: `/v1/session/sign-in` leads there. */
    hasIssuer: z.boolean(),
  })
  .openapi("Session");
export type SessionResponse = z.infer<typeof SessionResponse>;
export const SessionRequest = z
  .union([z.strictObject({ key: Text(512).min(1) }), z.strictObject({ link: Text(512).min(1) })])
  .openapi("SessionRequest", { description: "An API key, or the token of a one-time link" });

export const AuditEntryResponse = z
  .object({
    auditId: z.int(),
    at: time,
    actorKind: z.enum(actorKinds),
    actorId: z.string(),
    actorName: z.string(),
    action: z.string(),
    object: z.string().nullable(),
    address: z.string().nullable(),
    requestId: z.string().nullable(),
    /** "ok", or the status with which it was refused. */
    result: z.string(),
  })
  .openapi("AuditEntry");
export const AuditPage = z
  .object({ items: z.array(AuditEntryResponse), nextCursor: z.string().nullable() })
  .openapi("AuditPage");
