import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { SessionResponse } from "../../functions/api/contract/access.ts";
import { type Answer, apiLink, get, send } from "../api/client.ts";

/** Who is signed in; null until the API has said so. `refresh` asks again, after a sign-in or a refusal. */
export type Access = { session: SessionResponse | null; refresh: () => void };

export const AccessContext = createContext<Access>({ session: null, refresh: () => {} });
export const useAccess = () => useContext(AccessContext);

export function useAccessSource(): Access {
  const [session, setSession] = useState<SessionResponse | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    get<SessionResponse>("/v1/session", {}, leaving.signal)
      .then((answer) => answer.ok && setSession(answer.data))
      .catch(() => {});
    return () => leaving.abort();
  }, [round]);
  return { session, refresh: () => setRound((before) => before + 1) };
}

/** Opens a session with a key or a one-time link; the cookie that comes back is no script's business. */
export function signIn(credential: { key: string } | { link: string }): Promise<Answer<SessionResponse>> {
  return send("POST", "/v1/session", credential);
}

export function signOut(): Promise<Answer<SessionResponse>> {
  return send("DELETE", "/v1/session");
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
