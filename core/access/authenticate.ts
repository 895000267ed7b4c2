import type { Clock } from "../ports.ts";
import { type Actor, bootstrap } from "./actor.ts";
import { keyIdOf, type StoredKey, sha256Of } from "./key.ts";
import type { ApiKeys, Sessions } from "./ports.ts";

export type CredentialFault = "wrong" | "expired" | "revoked";
export type Authenticated = { ok: true; actor: Actor } | { ok: false; fault: CredentialFault };

export type KeyPorts = { keys: Pick<ApiKeys, "find" | "touch">; clock: Pick<Clock, "now"> };

/** `lastUsedAt` is written at most so often: it tells whether a key is used, not each use. */
const touchSeconds = 60;

/**
 * Whose key it is. That one has expired or was revoked is said only to who has the whole of it. Digests are compared,
 * so that the time taken tells nothing of the key.
 */
export async function authenticateKey(
  { keys, clock }: KeyPorts,
  token: string,
  bootstrapKey: string | null,
): Promise<Authenticated> {
  const sha256 = await sha256Of(token);
  if (bootstrapKey !== null && sha256 === (await sha256Of(bootstrapKey))) return { ok: true, actor: bootstrap };
  const keyId = keyIdOf(token);
  const key = keyId === null ? null : await keys.find(keyId);
  if (key === null || key.sha256 !== sha256) return { ok: false, fault: "wrong" };
  const now = clock.now();
  const fault = faultOf(key, now);
  if (fault !== null) return { ok: false, fault };
  if (key.lastUsedAt === null || now.getTime() - key.lastUsedAt.getTime() > touchSeconds * 1000) {
    await keys.touch(key.keyId, now);
  }
  return { ok: true, actor: { kind: "key", id: key.keyId, name: key.name, scopes: key.scopes } };
}

/** Why a key is not good any more at `now`; null while it is. */
export function faultOf(key: Pick<StoredKey, "revokedAt" | "expiresAt">, now: Date): CredentialFault | null {
  if (key.revokedAt !== null) return "revoked";
  return key.expiresAt !== null && key.expiresAt <= now ? "expired" : null;
}

/**
 * Whose session it is; null when it has ended. A session that a key has opened is good while the key is, with the
 * scopes that the key has now.
 */
export async function authenticateSession(
  { keys, sessions, clock }: KeyPorts & { sessions: Pick<Sessions, "find"> },
  token: string,
): Promise<Actor | null> {
  const now = clock.now();
  const session = await sessions.find(await sha256Of(token));
  if (session === null || session.expiresAt <= now) return null;
  if (session.actor.kind !== "key") return session.actor;
  const key = await keys.find(session.actor.id);
  return key === null || faultOf(key, now) !== null ? null : { ...session.actor, scopes: key.scopes };
}
