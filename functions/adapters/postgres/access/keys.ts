import type { Kysely, Selectable } from "kysely";
import * as z from "zod";
import type { ApiKey, StoredKey } from "../../../../core/access/key.ts";
import type { ApiKeys } from "../../../../core/access/ports.ts";
import { Scope } from "../../../../core/access/scope.ts";
import type { PredictorSchema } from "../schema.ts";

/** API keys in the predictor database. */
export function postgresKeys(db: Kysely<PredictorSchema>): ApiKeys {
  return {
    async add(key) {
      await db.insertInto("api_key").values(toRow(key)).execute();
    },
    async find(keyId) {
      const row = await db.selectFrom("api_key").selectAll().where("key_id", "=", keyId).executeTakeFirst();
      return row === undefined ? null : { ...toKey(row), sha256: row.sha256 };
    },
    async list() {
      const rows = await db.selectFrom("api_key").selectAll().orderBy("created_at", "desc").orderBy("key_id").execute();
      return rows.map(toKey);
    },
    async revoke(keyId, now) {
      const ended = db.updateTable("api_key").set({ revoked_at: now }).where("key_id", "=", keyId);
      await ended.where("revoked_at", "is", null).execute();
      const row = await db.selectFrom("api_key").selectAll().where("key_id", "=", keyId).executeTakeFirst();
      return row === undefined ? null : toKey(row);
    },
    async touch(keyId, now) {
      await db.updateTable("api_key").set({ last_used_at: now }).where("key_id", "=", keyId).execute();
    },
  };
}

type Row = Selectable<PredictorSchema["api_key"]>;

function toRow(key: StoredKey): Row {
  const { keyId, name, scopes, sha256, createdAt, createdBy, expiresAt, lastUsedAt, revokedAt } = key;
  return {
    key_id: keyId,
    name,
    scopes,
    sha256,
    created_at: createdAt,
    created_by: createdBy,
    expires_at: expiresAt,
    last_used_at: lastUsedAt,
    revoked_at: revokedAt,
  };
}

function toKey(row: Row): ApiKey {
  return {
    keyId: row.key_id,
    name: row.name,
    scopes: z.array(Scope).parse(row.scopes),
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}
