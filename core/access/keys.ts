import type { Clock } from "../ports.ts";
import { type ApiKey, keyBytes, makeToken, sha256Of } from "./key.ts";
import type { ApiKeys } from "./ports.ts";
import type { Scope } from "./scope.ts";

export type NewKey = { name: string; scopes: Scope[]; expiresAt: Date | null; createdBy: string };

/** Makes and stores a key; the token is given back this once and stored nowhere. */
export async function createKey(
  { keys, clock }: { keys: Pick<ApiKeys, "add">; clock: Pick<Clock, "now"> },
  { name, scopes, expiresAt, createdBy }: NewKey,
): Promise<{ key: ApiKey; token: string }> {
  const { keyId, token } = makeToken(crypto.getRandomValues(new Uint8Array(keyBytes)));
  const key: ApiKey = {
    keyId,
    name,
    scopes: [...new Set(scopes)],
    createdAt: clock.now(),
    createdBy,
    expiresAt,
    lastUsedAt: null,
    revokedAt: null,
  };
  await keys.add({ ...key, sha256: await sha256Of(token) });
  return { key, token };
}
