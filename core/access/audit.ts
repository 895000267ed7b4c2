import type { ActorKind } from "./actor.ts";

/** One act: who did what to which object, from where, with what result. Written once, kept a year. */
export type AuditEntry = {
  at: Date;
  actorKind: ActorKind;
  actorId: string;
  actorName: string;
  /** "model.promote", "key.create", "session.open", ... */
  action: string;
  /** "models/m1", "keys/4fQz...", ...; null where there is none. */
  object: string | null;
  /** Address of the client; null where it is not known. */
  address: string | null;
  requestId: string | null;
  /** "ok", or why not. */
  result: string;
};

/** As listed: `auditId` rises with time. */
export type StoredAuditEntry = AuditEntry & { auditId: number };

export const auditSeconds = 365 * 86_400;
