import { useEffect, useState } from "preact/hooks";
import type { Answer, Failure } from "../api/client.ts";
import { usePulse } from "../shell/pulse.ts";
import { navigate } from "../shell/route.ts";
import { Notice } from "../shell/states.tsx";
import { issuerLink, signIn, signOut, useAccess } from "./session.ts";

/** Why the issuer's answer led to no session. */
const problems: Record<string, string> = {
  late: "The sign-in took too long or was begun in another browser. Begin again.",
  refused: "The sign-in was not confirmed. Begin again.",
  role: "You are signed in at the issuer, but have no role here. An administrator can give you one.",
};

/** Sign-in by the issuer, where there is one, and by a key pasted once; a one-time link signs in by itself. */
export function SignInPage({ query }: { query: URLSearchParams }) {
  const { session, refresh } = useAccess();
  const pulse = usePulse();
  const [failure, setFailure] = useState<Failure | null>(null);
  const [isBusy, setBusy] = useState(false);
  const returnTo = pathOf(query.get("returnTo"));
  const problem = problems[query.get("problem") ?? ""];

  async function enter(asking: Promise<Answer<unknown>>, next: string) {
    setBusy(true);
    const answer = await asking;
    setBusy(false);
    setFailure(answer.ok ? null : answer.failure);
    if (!answer.ok) return;
    refresh();
    pulse.refresh();
    navigate(next, true);
  }

  useEffect(() => {
    const link = /^#link=(\w+)$/.exec(location.hash)?.[1];
    if (link === undefined) return;
    // Out of the address before anything else: it must not stay in the history.
    history.replaceState(null, "", location.pathname);
    void enter(signIn({ link }), "/");
  }, []);

  if (session !== null && session.actor.kind !== "anonymous") {
    return (
      <section class="state sign-in">
        <h1>Signed in as {session.actor.name}</h1>
        <p>You may: {session.actor.scopes.join(", ")}.</p>
        <button type="button" class="button" disabled={isBusy} onClick={() => void enter(signOut(), "/sign-in")}>
          Sign out
        </button>
      </section>
    );
  }
  return (
    <section class="state sign-in" aria-busy={isBusy}>
      <h1>Sign in</h1>
      {problem !== undefined && <Notice tone="warn">{problem}</Notice>}
      {failure !== null && (
        <div role="alert">
          <Notice tone="bad">
            <b>{failure.title}.</b> {failure.detail}
          </Notice>
        </div>
      )}
      {!isSecureContext && (
        <Notice tone="warn">
          <b>This page did not come over HTTPS,</b> so that the browser keeps no sign-in. Put a proxy with TLS in front.
        </Notice>
      )}
      {session?.hasIssuer && (
        <a class="button" href={issuerLink(returnTo)}>
          Sign in with your account
        </a>
      )}
      <KeyForm isBusy={isBusy} onKey={(key) => void enter(signIn({ key }), returnTo)} />
      {session?.mode === "open" && <p class="muted">Here nobody needs to: everything is open on this machine.</p>}
    </section>
  );
}

function KeyForm({ isBusy, onKey }: { isBusy: boolean; onKey: (key: string) => void }) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const input = event.currentTarget.elements.namedItem("key");
        if (input instanceof HTMLInputElement && input.value.trim() !== "") onKey(input.value.trim());
      }}
    >
      <label for="key">API key</label>
      <input id="key" name="key" type="password" autocomplete="off" spellcheck={false} required />
      <button type="submit" class="button" disabled={isBusy}>
        Sign in with the key
      </button>
      <p class="muted">
        It is sent once and kept nowhere in this browser. <code>npm run keys -- create</code> makes one.
      </p>
    </form>
  );
}

/** A page of this site only. */
function pathOf(returnTo: string | null): string {
  return returnTo !== null && /^\/(?![/\\])/.test(returnTo) ? returnTo : "/";
}
