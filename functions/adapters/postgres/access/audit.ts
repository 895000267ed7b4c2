import { type Kysely, type Selectable, sql } from "kysely";
import * as z from "zod";
import { actorKinds } from "../../../../core/access/actor.ts";
import type { StoredAuditEntry } from "../../../../core/access/audit.ts";
import type { AuditLog } from "../../../../core/access/ports.ts";
import type { PredictorSchema } from "../schema.ts";

/** The audit in the predictor database; whoever may only add entries can use `record` and nothing else. */
export function postgresAudit(db: Kysely<PredictorSchema>): AuditLog {
  return {
    async record(entry) {
      const { at, actorKind, actorId, actorName, action, object, address, requestId, result } = entry;
      const who = { actor_kind: actorKind, actor_id: actorId, actor_name: actorName };
      await db
        .insertInto("audit")
        .values({ at, ...who, action, object, address, request_id: requestId, result })
        .execute();
    },
    async forget(before) {
      await db.deleteFrom("audit").where("at", "<", before).execute();
    },
    async list({ limit, before }) {
      const newest = db.selectFrom("audit").selectAll().orderBy("audit_id", "desc").limit(limit);
      const rows = await (before === null ? newest : newest.where("audit_id", "<", before)).execute();
      return rows.map(toEntry);
    },
    async count({ actorId, action, since }) {
      const { rows } = await sql<{ n: number }>`
        select count(*)::int as n from audit
        where actor_id = ${actorId} and action = ${action} and at >= ${since} and result = 'ok'`.execute(db);
      return rows[0]?.n ?? 0;
    },
  };
}

function toEntry(row: Selectable<PredictorSchema["audit"]>): StoredAuditEntry {
  return {
    auditId: row.audit_id,
    at: row.at,
    actorKind: z.enum(actorKinds).parse(row.actor_kind),
    actorId: row.actor_id,
    actorName: row.actor_name,
    action: row.action,
    object: row.object,
    address: row.address,
    requestId: row.request_id,
    result: row.result,
  };
}
