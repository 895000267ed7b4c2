import type { Session } from "./actor.ts";
import type { AuditEntry, StoredAuditEntry } from "./audit.ts";
import type { ApiKey, StoredKey } from "./key.ts";

/** API keys; of a token only its SHA-256 is stored. */
export type ApiKeys = {
  add(key: StoredKey): Promise<void>;
  find(keyId: string): Promise<StoredKey | null>;
  /** Newest first, revoked and expired ones too. */
  list(): Promise<ApiKey[]>;
  /** Ends a key for good; null when there is none. A second time changes nothing. */
  revoke(keyId: string, now: Date): Promise<ApiKey | null>;
  /** Notes that it was used. */
  touch(keyId: string, now: Date): Promise<void>;
};

/** Sessions of the dashboard and one-time links, by the SHA-256 of their token. */
export type Sessions = {
  open(sha256: string, session: Session): Promise<void>;
  /** Null when there is none; the caller looks at `expiresAt`. */
  find(sha256: string): Promise<Session | null>;
  close(sha256: string): Promise<void>;
  addLink(sha256: string, expiresAt: Date): Promise<void>;
  /** True for exactly one caller, before it has expired. */
  takeLink(sha256: string, now: Date): Promise<boolean>;
};

/** Who did what. Entries are never changed. */
export type AuditLog = {
  record(entry: AuditEntry): Promise<void>;
  /** Lets go of the entries from before that moment. */
  forget(before: Date): Promise<void>;
  /** Newest first; `before` is the last auditId of the page before. */
  list(query: { limit: number; before: number | null }): Promise<StoredAuditEntry[]>;
  /** How often the actor has done this, and was allowed to, since then. */
  count(query: { actorId: string; action: string; since: Date }): Promise<number>;
};

/** What the issuer says of a person; `subject` is theirs for ever, `claims` are those of the ID token. */
export type Person = { subject: string; name: string; claims: Record<string, unknown> };

/** A sign-in that was begun; it stays in the browser that began it, and is used up by the answer. */
export type SignInAttempt = { state: string; nonce: string; verifier: string };

/** OpenID Connect, code flow with PKCE. */
export type IdentityProvider = {
  /** Where the person goes to sign in. Throws timeout or internal when the issuer does not answer. */
  begin(redirectUrl: string): Promise<{ url: string; attempt: SignInAttempt }>;
  /** Who came back; null when the answer does not belong to the attempt, or the person was refused. */
  finish(answerUrl: string, attempt: SignInAttempt): Promise<Person | null>;
};
