import { signInHref, useAccess } from "./session.ts";

/** Who is signed in, or the way to sign in; nothing where nobody needs to. */
export function Account() {
  const { session } = useAccess();
  if (session === null || session.mode === "open") return null;
  const isKnown = session.actor.kind !== "anonymous";
  return (
    <a class="button button-quiet account" href={isKnown ? "/sign-in" : signInHref()} data-route>
      {isKnown ? session.actor.name : "Sign in"}
    </a>
  );
}
