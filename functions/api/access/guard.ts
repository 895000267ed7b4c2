import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import { type Actor, anonymous } from "../../../core/access/actor.ts";
import { authenticateKey, authenticateSession, type CredentialFault } from "../../../core/access/authenticate.ts";
import { sha256Of } from "../../../core/access/key.ts";
import { allows } from "../../../core/access/scope.ts";
import { openShare, sharePrefix } from "../../../core/access/share.ts";
import { AppError } from "../../../core/errors.ts";
import { isSafe } from "../method.ts";
import { isSameOrigin } from "../origin.ts";
import { refuse } from "../problem.ts";
import { addressOf } from "./address.ts";
import type { Limiter } from "./limits.ts";
import type { AccessServices } from "./services.ts";
import { operationIn, type Rule, rules } from "./table.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Who asks, as far as is known. */
    actor: Actor;
    address: string;
    /** What was done something to, for the audit, where the path does not say it. */
    object: string | undefined;
  }
}

export const sessionCookie = "session";

/**
 * Lets nobody further who may not: finds out who asks, counts it against their limits, and compares what they may do
 * with what the operation wants. Paths that there are not go on to their 404.
 */
export function guard(access: AccessServices, limiter: Limiter): MiddlewareHandler {
  return async (c, next) => {
    const address = addressOf(c, access.trustsProxy);
    c.set("address", address);
    const rule = ruleOf(c);
    const actor = await identify(c, access, limiter, address);
    c.set("actor", actor);
    if (rule?.isProbe) return next();
    limiter.request(c, actor.kind === "anonymous" ? address : `${actor.kind} ${actor.id}`, !isSafe(c.req.method));
    if (rule !== null) authorise(c, actor, rule);
    return next();
  };
}

/** Null where no operation answers. One that is not in the table is a mistake of ours, and nobody's to use. */
export function ruleOf(c: Context): (Rule & { isProbe: boolean }) | null {
  const operation = operationIn(c);
  if (operation === null) return null;
  const rule = rules[operation];
  if (rule === undefined)
    throw new AppError("misconfigured", `${operation} has no scope in functions/api/access/table.ts`);
  return { ...rule, isProbe: operation === "get /healthz" || operation === "get /readyz" };
}

async function identify(c: Context, access: AccessServices, limiter: Limiter, address: string): Promise<Actor> {
  const header = c.req.header("Authorization");
  if (header !== undefined) {
    const token = bearerOf(c, header);
    const identifyToken = token.startsWith(sharePrefix) ? identifyShare : identifyKey;
    return identifyToken(c, access, limiter, address, token);
  }
  const token = getCookie(c, sessionCookie, "host");
  const actor = token === undefined ? null : await authenticateSession(access, token);
  if (actor === null) return anonymous(access.mode);
  if (!isSafe(c.req.method) && !isSameOrigin(c)) {
    throw refuse(403, {
      code: "forbidden",
      detail: "a session may be used from its own page only; elsewhere use an API key",
    });
  }
  return actor;
}

/** Whose key it is. Throws 401 for one that is not good, and 429 once an address has tried too many of them. */
export async function identifyKey(
  c: Context,
  access: AccessServices,
  limiter: Limiter,
  address: string,
  token: string,
): Promise<Actor> {
  limiter.mayTry(c, address);
  const found = await authenticateKey(access, token, access.bootstrapKey);
  if (found.ok) return found.actor;
  limiter.wasWrong(address);
  throw unauthorised(c, faults[found.fault], "invalid_token");
}

/** Whose shared link it is; each has limits of its own. Throws 401 as for a key. */
async function identifyShare(
  c: Context,
  access: AccessServices,
  limiter: Limiter,
  address: string,
  token: string,
): Promise<Actor> {
  limiter.mayTry(c, address);
  const { shareKey, clock } = access;
  const opened = shareKey === null ? null : await openShare(shareKey, token, clock.now());
  if (opened?.ok) {
    const id = (await sha256Of(token)).slice(0, 12);
    return { kind: "share", id, name: `a link to ${opened.share.sensorId}`, scopes: [], share: opened.share };
  }
  limiter.wasWrong(address);
  const detail = opened?.fault === "expired" ? "the shared link has expired" : "the shared link is good no more";
  throw unauthorised(c, detail, "invalid_token");
}

const faults: Record<CredentialFault, string> = {
  wrong: "the API key is wrong",
  expired: "the API key has expired; make another with npm run keys -- create",
  revoked: "the API key was revoked",
};

function bearerOf(c: Context, header: string): string {
  const token = /^Bearer +([\w.~+/=-]{1,4096})$/i.exec(header)?.[1];
  if (token !== undefined) return token;
  challenge(c, "invalid_request");
  throw refuse(400, { code: "badInput", detail: "Authorization must be: Bearer KEY" });
}

function authorise(c: Context, actor: Actor, { scope }: Rule): void {
  if (scope === "public") return;
  if (scope === "share" ? actor.share !== undefined : allows(actor.scopes, scope)) return;
  if (actor.kind === "anonymous") {
    const had = getCookie(c, sessionCookie, "host") === undefined ? "" : "the session has ended; ";
    throw unauthorised(
      c,
      `${had}this wants the scope ${scope}: sign in, or send an API key as Authorization: Bearer KEY`,
    );
  }
  challenge(c, "insufficient_scope", scope);
  const held = actor.scopes.length === 0 ? "none" : actor.scopes.join(", ");
  throw refuse(403, { code: "forbidden", detail: `this wants the scope ${scope}; ${actor.name} has ${held}` });
}

function unauthorised(c: Context, detail: string, error?: string) {
  challenge(c, error);
  return refuse(401, { code: "unauthorised", detail });
}

/** RFC 6750. */
function challenge(c: Context, error?: string, scope?: string): void {
  const parts = [
    'realm="iot-lstm-predictor"',
    ...(error ? [`error="${error}"`] : []),
    ...(scope ? [`scope="${scope}"`] : []),
  ];
  c.header("WWW-Authenticate", `Bearer ${parts.join(", ")}`);
}
