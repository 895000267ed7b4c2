import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { type Actor, anonymous, sessionSeconds } from "../../../core/access/actor.ts";
import { sha256Of } from "../../../core/access/key.ts";
import type { SignInAttempt } from "../../../core/access/ports.ts";
import { roleOf, scopesOf } from "../../../core/access/scope.ts";
import { openSession, takeLink } from "../../../core/access/sessions.ts";
import { identifyKey, sessionCookie } from "../access/guard.ts";
import type { Limiter } from "../access/limits.ts";
import type { AccessServices } from "../access/services.ts";
import { SessionRequest, SessionResponse } from "../contract/access.ts";
import { refuse } from "../problem.ts";
import { answers, jsonBody, problems } from "../responses.ts";
import type { ApiServices } from "../services.ts";

const tags = ["access"];
const attemptCookie = "sign-in";
const attemptSeconds = 600;

const getSession = createRoute({
  method: "get",
  path: "/v1/session",
  tags,
  summary: "Who asks, what they may do, and how to sign in",
  responses: answers(200, SessionResponse, "The session"),
});
const startSession = createRoute({
  method: "post",
  path: "/v1/session",
  tags,
  summary: "Sign in to the dashboard with an API key or a one-time link",
  request: { body: jsonBody(SessionRequest) },
  responses: answers(200, SessionResponse, "Signed in: the session is in a cookie"),
});
const endSession = createRoute({
  method: "delete",
  path: "/v1/session",
  tags,
  summary: "Sign out",
  responses: answers(200, SessionResponse, "Signed out"),
});
const redirects = { 302: { description: "To the issuer, or back to the dashboard" }, ...problems };
const signIn = createRoute({
  method: "get",
  path: "/v1/session/sign-in",
  tags,
  summary: "Sign in at the issuer (OpenID Connect)",
  request: { query: z.object({ returnTo: z.string().max(500).optional() }) },
  responses: redirects,
});
const callback = createRoute({
  method: "get",
  path: "/v1/session/callback",
  tags,
  summary: "Where the issuer sends people back to",
  responses: redirects,
});

/** Signing in and out. Tokens are in cookies that no script reads; the issuer's own tokens are not kept. */
export function sessionRoutes({ access, ports }: ApiServices, limiter: Limiter): OpenAPIHono {
  const answer = (c: Context, { kind, name, scopes }: Actor) => {
    c.header("Cache-Control", "no-store");
    return c.json(
      { mode: access.mode, actor: { kind, name, scopes: [...scopes] }, hasIssuer: access.issuer !== null },
      200,
    );
  };
  return new OpenAPIHono()
    .openapi(getSession, (c) => answer(c, c.get("actor")))
    .openapi(startSession, async (c) => {
      const given = c.req.valid("json");
      const actor =
        "key" in given
          ? await identifyKey(c, access, limiter, c.get("address"), given.key)
          : await identifyLink(c, access, limiter, given.link);
      await enter(c, access, actor);
      return answer(c, actor);
    })
    .openapi(endSession, async (c) => {
      const token = deleteCookie(c, sessionCookie, { prefix: "host", ...safe });
      if (token !== undefined) await access.sessions.close(await sha256Of(token));
      return answer(c, anonymous(access.mode));
    })
    .openapi(signIn, async (c) => {
      const { provider } = issuerOf(access);
      const { url, attempt } = await provider.begin(callbackUrl(c, access));
      const returnTo = pathOf(c.req.valid("query").returnTo);
      const value = Buffer.from(JSON.stringify({ ...attempt, returnTo })).toString("base64url");
      // Lax: the person comes back from the issuer's site.
      setCookie(c, attemptCookie, value, { prefix: "host", ...safe, sameSite: "Lax", maxAge: attemptSeconds });
      c.header("Cache-Control", "no-store");
      return c.redirect(url, 302);
    })
    .openapi(callback, async (c) => {
      const { provider, rules } = issuerOf(access);
      const attempt = attemptOf(deleteCookie(c, attemptCookie, { prefix: "host", ...safe }));
      c.header("Cache-Control", "no-store");
      if (attempt === null) return c.redirect("/sign-in?problem=late", 302);
      const answered = `${callbackUrl(c, access)}${new URL(c.req.url).search}`;
      const person = await provider.finish(answered, attempt);
      if (person === null) return c.redirect("/sign-in?problem=refused", 302);
      const role = roleOf(person.claims, rules);
      const scopes = role === null ? [] : scopesOf[role];
      const actor: Actor = { kind: "person", id: person.subject, name: person.name, scopes };
      if (role === null) {
        ports.log.warn("access.noRole", { subject: person.subject, claim: rules.claim });
        return c.redirect("/sign-in?problem=role", 302);
      }
      await enter(c, access, actor);
      return c.redirect(attempt.returnTo, 302);
    });
}

const safe = { path: "/", secure: true, httpOnly: true, sameSite: "Strict" } as const;

/** A new session each time: one that somebody else knows of ends here. */
async function enter(c: Context, access: AccessServices, actor: Actor): Promise<void> {
  const before = getCookie(c, sessionCookie, "host");
  if (before !== undefined) await access.sessions.close(await sha256Of(before));
  const token = await openSession(access, actor);
  setCookie(c, sessionCookie, token, { prefix: "host", ...safe, maxAge: sessionSeconds });
  c.set("actor", actor);
}

async function identifyLink(c: Context, access: AccessServices, limiter: Limiter, link: string): Promise<Actor> {
  limiter.mayTry(c, c.get("address"));
  const actor = await takeLink(access, link);
  if (actor !== null) return actor;
  limiter.wasWrong(c.get("address"));
  throw refuse(401, {
    code: "unauthorised",
    detail: "the link was used before or has expired; start again for another",
  });
}

function issuerOf({ issuer }: AccessServices) {
  if (issuer !== null) return issuer;
  throw refuse(404, { code: "notFound", detail: "no issuer is configured: sign in with an API key" });
}

function callbackUrl(c: Context, { publicUrl }: AccessServices): string {
  const forwarded = c.req.header("X-Forwarded-Host");
  const origin = publicUrl ?? (c.env?.event && forwarded ? `https://${forwarded}` : new URL(c.req.url).origin);
  return `${origin.replace(/\/+$/, "")}/v1/session/callback`;
}

const Attempt = z.object({ state: z.string(), nonce: z.string(), verifier: z.string(), returnTo: z.string() });

function attemptOf(cookie: string | undefined): (SignInAttempt & { returnTo: string }) | null {
  try {
    const attempt = Attempt.parse(JSON.parse(Buffer.from(cookie ?? "", "base64url").toString("utf8")));
    return { ...attempt, returnTo: pathOf(attempt.returnTo) };
  } catch {
    return null;
  }
}

/** A path of this site; the first page for whatever leads elsewhere. */
function pathOf(returnTo: string | undefined): string {
  return returnTo !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(returnTo) ? returnTo : "/";
}
