import type { Clock } from "../ports.ts";
import { type Actor, linkSeconds, sessionSeconds } from "./actor.ts";
import { sha256Of, toSecret } from "./key.ts";
import type { Sessions } from "./ports.ts";

type SessionPorts = { sessions: Sessions; clock: Pick<Clock, "now"> };

/** Opens a session; the token goes into the cookie and is stored nowhere. */
export async function openSession({ sessions, clock }: SessionPorts, actor: Actor): Promise<string> {
  const token = newToken();
  const createdAt = clock.now();
  const expiresAt = new Date(createdAt.getTime() + sessionSeconds * 1000);
  await sessions.open(await sha256Of(token), { actor, createdAt, expiresAt });
  return token;
}

/** A token that signs in once, as an administrator; for whoever sees this process's output. */
export async function makeLink({ sessions, clock }: SessionPorts): Promise<string> {
  const token = newToken();
  const expiresAt = new Date(clock.now().getTime() + linkSeconds * 1000);
  await sessions.addLink(await sha256Of(token), expiresAt);
  return token;
}

/** Who comes by a one-time link; null when it was used before or has expired. */
export async function takeLink({ sessions, clock }: SessionPorts, token: string): Promise<Actor | null> {
  const isGood = await sessions.takeLink(await sha256Of(token), clock.now());
  return isGood ? { kind: "link", id: "link", name: "one-time link", scopes: ["admin"] } : null;
}

function newToken(): string {
  return toSecret(crypto.getRandomValues(new Uint8Array(32)));
}
