import type { ComponentChildren } from "preact";
import { signInHref } from "../access/session.ts";
import type { Failure } from "../api/client.ts";
import { Icon } from "./icons.tsx";

/** A grey stand-in as tall as what will come. */
export function Skeleton({ height, label }: { height: number; label: string }) {
  return (
    <div class="skeleton" style={{ height: `${height}px` }} role="status">
      <span class="sr-only">{label}</span>
    </div>
  );
}

/** Nothing to show yet: says what comes next. */
export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="state">
      <Icon name="waiting" />
      <p class="state-title">{title}</p>
      <p>{children}</p>
    </div>
  );
}

/** It did not load and there is nothing older to show: the cause, and a way on. */
export function Failed({ failure, onRetry }: { failure: Failure; onRetry: () => void }) {
  if (failure.kind === "signedOut" || failure.kind === "forbidden") return <Refused failure={failure} />;
  return (
    <div class="state state-failed" role="alert">
      <Icon name="refused" />
      <p class="state-title">{failure.title}</p>
      <p>{failure.detail}</p>
      {failure.kind !== "notFound" && <p class="muted">Trying again by itself.</p>}
      <button type="button" class="button" onClick={onRetry}>
        Try now
      </button>
    </div>
  );
}

/** The person has to say who they are, or may not see this: no retry helps. */
function Refused({ failure }: { failure: Failure }) {
  const isSignedOut = failure.kind === "signedOut";
  return (
    <div class="state state-failed" role="alert">
      <Icon name="refused" />
      <h1 class="state-title">{isSignedOut ? "Sign in to see this" : "You may not see this"}</h1>
      <p>{failure.detail}</p>
      <a class="button" href={signInHref()} data-route>
        {isSignedOut ? "Sign in" : "Sign in as somebody else"}
      </a>
    </div>
  );
}

/** A line above data that is still shown but is not all that it should be. */
export function Notice({ tone, children }: { tone: "info" | "warn" | "bad"; children: ComponentChildren }) {
  return (
    <div class={`notice notice-${tone}`} role={tone === "info" ? "note" : "status"}>
      <Icon name={tone === "info" ? "info" : tone === "warn" ? "stale" : "refused"} />
      <div>{children}</div>
    </div>
  );
}
