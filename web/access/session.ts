import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { type Answer, api, apiLink, settle } from "../api/client.ts";
import type { Session } from "../client/client.ts";

/** Who is signed in; null until the API has said so. `refresh` asks again, after a sign-in or a refusal. */
export type Access = { session: Session | null; refresh: () => void };

export const AccessContext = createContext<Access>({ session: null, refresh: () => {} });
export const useAccess = () => useContext(AccessContext);

export function useAccessSource(): Access {
  const [session, setSession] = useState<Session | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    api.get("/v1/session", { signal: leaving.signal }).then(setSession, () => {});
    return () => leaving.abort();
  }, [round]);
  return { session, refresh: () => setRound((before) => before + 1) };
}

/** Opens a session with a key or a one-time link; the cookie that comes back is no script's business. */
export function signIn(credential: { key: string } | { link: string }): Promise<Answer<Session>> {
  return settle(api.post("/v1/session", { body: credential }));
}

export function signOut(): Promise<Answer<Session>> {
  return settle(api.delete("/v1/session"));
}

/** Where the issuer's sign-in begins, and the page to come back to. */
export function issuerLink(returnTo: string): string {
  return apiLink("/v1/session/sign-in", { returnTo });
}

/** The sign-in page, which leads back to where the person is. */
export function signInHref(): string {
  const here = location.pathname + location.search;
  return here.startsWith("/sign-in") || here === "/" ? "/sign-in" : `/sign-in?returnTo=${encodeURIComponent(here)}`;
}
