import type { Scope } from "./scope.ts";
import type { Share } from "./share.ts";

/**
 * Who asks. `key`: an API key; `person`: signed in at the issuer; `bootstrap`: API_KEY; `link`: came by a one-time
 * link; `share`: whoever has a shared link; `command`: somebody at the machine; `schedule`: the system by itself;
 * `anonymous`: nobody who says so.
 */
export const actorKinds = ["key", "person", "bootstrap", "link", "share", "command", "schedule", "anonymous"] as const;
export type ActorKind = (typeof actorKinds)[number];

export type Actor = {
  kind: ActorKind;
  id: string;
  name: string;
  scopes: readonly Scope[];
  /** The one chart that `share` may see. */
  share?: Share;
};

/** A person's stay in the dashboard. The cookie holds its token, the database the token's SHA-256. */
export type Session = { actor: Actor; createdAt: Date; expiresAt: Date };

/** A sign-in is asked for again after this long. */
export const sessionSeconds = 12 * 3_600;
/** A one-time link is good for this long. */
export const linkSeconds = 15 * 60;

/**
 * What may be done without saying who one is. `open`: everything, on loopback only; `public-read`: reading; `private`:
 * nothing.
 */
export type AccessMode = "open" | "public-read" | "private";

const anonymousScopes: Record<AccessMode, readonly Scope[]> = {
  open: ["read", "forecast", "train", "promote", "alerts", "ops", "admin"],
  "public-read": ["read", "ops"],
  private: [],
};

/** Who has not said who they are. */
export function anonymous(mode: AccessMode): Actor {
  return { kind: "anonymous", id: "anonymous", name: "anonymous", scopes: anonymousScopes[mode] };
}

/** Whoever has the bootstrap key is an administrator. */
export const bootstrap: Actor = { kind: "bootstrap", id: "bootstrap", name: "API_KEY", scopes: ["admin"] };

/** Who may do what without a key, as configured: reads are opened by hand only, writes on loopback only. */
export function accessMode(given: {
  isLoopback: boolean;
  hasCredentials: boolean;
  access: "private" | "public-read" | null;
}): AccessMode {
  if (given.access !== null) return given.access;
  if (!given.isLoopback) return "private";
  return given.hasCredentials ? "public-read" : "open";
}
