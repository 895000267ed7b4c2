import { type Kysely, sql } from "kysely";
import * as z from "zod";
import { actorKinds } from "../../../../core/access/actor.ts";
import type { Sessions } from "../../../../core/access/ports.ts";
import { Scope } from "../../../../core/access/scope.ts";
import type { PredictorSchema } from "../schema.ts";

/** Sessions and one-time links in the predictor database; each that is added takes those with it that have expired. */
export function postgresSessions(db: Kysely<PredictorSchema>): Sessions {
  return {
    async open(sha256, { actor, createdAt, expiresAt }) {
      await db.deleteFrom("session").where("expires_at", "<", createdAt).execute();
      const { kind, id, name, scopes } = actor;
      const who = { actor_kind: kind, actor_id: id, actor_name: name, scopes: [...scopes] };
      await db
        .insertInto("session")
        .values({ sha256, ...who, created_at: createdAt, expires_at: expiresAt })
        .execute();
    },
    async find(sha256) {
      const row = await db.selectFrom("session").selectAll().where("sha256", "=", sha256).executeTakeFirst();
      if (row === undefined) return null;
      const kind = z.enum(actorKinds).parse(row.actor_kind);
      const actor = { kind, id: row.actor_id, name: row.actor_name, scopes: z.array(Scope).parse(row.scopes) };
      return { actor, createdAt: row.created_at, expiresAt: row.expires_at };
    },
    async close(sha256) {
      await db.deleteFrom("session").where("sha256", "=", sha256).execute();
    },
    async addLink(sha256, expiresAt) {
      await db.insertInto("sign_in_link").values({ sha256, expires_at: expiresAt }).execute();
    },
    async takeLink(sha256, now) {
      // What has expired goes at the same time, and tells itself from what was good.
      const { rows } = await sql<{ is_good: boolean }>`
        delete from sign_in_link where sha256 = ${sha256} or expires_at <= ${now}
        returning sha256 = ${sha256} and expires_at > ${now} as is_good`.execute(db);
      return rows.some((row) => row.is_good);
    },
  };
}
