import type { Log } from "../ports.ts";
import type { Actor, ActorKind } from "./actor.ts";

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

/** Who acts without a request: somebody at the machine, by the account's name. */
export function commandOf(user: string): Who {
  return { kind: "command", id: user, name: user };
}

/** What the system does by itself, at its times. */
export const schedule: Who = { kind: "schedule", id: "schedule", name: "schedule" };

type Who = Pick<Actor, "kind" | "id" | "name">;

/** The entry of an act that came by no request. */
export function entryBy(who: Who, act: Pick<AuditEntry, "at" | "action" | "object" | "result">): AuditEntry {
  return { ...act, actorKind: who.kind, actorId: who.id, actorName: who.name, address: null, requestId: null };
}

/** Writes down what is done already: that it cannot be written is logged, and undoes nothing. */
export async function noteDone(
  { audit, log }: { audit: { record(entry: AuditEntry): Promise<void> }; log: Log },
  entry: AuditEntry,
): Promise<void> {
  await audit.record(entry).catch((error: unknown) => log.error("audit.failed", { ...entry, error }));
}
