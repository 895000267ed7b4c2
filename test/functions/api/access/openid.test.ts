import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openIdProvider } from "../../../../functions/adapters/openid.ts";
import type { AccessServices } from "../../../../functions/api/access/services.ts";
import { AuditPage, SessionResponse } from "../../../../functions/api/contract/access.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";
import { getAs, startApi, type TestApi } from "../harness.ts";

/** A real issuer: its accounts are named after the groups that they are in. */
async function startIssuer(redirectUri: string) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "dashboard", client_secret: "client-secret", redirect_uris: [redirectUri] }],
    claims: { openid: ["sub"], profile: ["name"], groups: ["groups"] },
    scopes: ["openid", "profile", "groups"],
    // The claims that make roles are in the ID token, as Cognito, Entra and Keycloak put them.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `Person of ${id}`, groups: [id] }),
    }),
    features: { devInteractions: { enabled: true } },
    cookies: { keys: ["test"] },
  });
  server.on("request", provider.callback());
  return { server, issuer };
}

let postgres: TestPostgres;
let server: Server;
let issuer: string;
let api: TestApi;
const publicUrl = "http://localhost:3000";

beforeAll(async () => {
  postgres = await startTestPostgres();
  ({ server, issuer } = await startIssuer(`${publicUrl}/v1/session/callback`));
});
afterEach(async () => {
  await api.close();
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await postgres.stop();
});

const members = { viewer: ["guests"], operator: ["plant"], admin: ["owners"] };

async function start(access: Partial<AccessServices> = {}, clientSecret: string | null = "client-secret") {
  const provider = openIdProvider({ issuer, clientId: "dashboard", clientSecret, scope: "openid profile groups" });
  const rules = { claim: "groups", members };
  api = await startApi(postgres, { access: { mode: "private", issuer: { provider, rules }, publicUrl, ...access } });
}

/** A browser as far as signing in needs one: keeps cookies, follows redirects, fills in the issuer's forms. */
function browser() {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: string) => {
    const { host } = new URL(url);
    const jar = jars.get(host) ?? new Map<string, string>();
    jars.set(host, jar);
    return jar;
  };
  async function request(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...jarOf(url)].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...Object.fromEntries(new Headers(init.headers)), ...(cookie ? { Cookie: cookie } : {}) };
    const response = url.startsWith(publicUrl)
      ? await api.app.request(url, { ...init, headers })
      : await fetch(url, { ...init, headers, redirect: "manual" });
    for (const set of response.headers.getSetCookie()) {
      const [name = "", value = ""] = (set.split(";")[0] ?? "").split(/=(.*)/s);
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(set) || value === "") jarOf(url).delete(name);
      else jarOf(url).set(name, value);
    }
    return response;
  }
  /** Follows redirects until a page comes, or the address is the dashboard's. */
  async function follow(url: string, init: RequestInit = {}, stopAt?: (url: string) => boolean) {
    let next = url;
    let response = await request(next, init);
    for (;;) {
      const location = response.headers.get("Location");
      if (location === null || response.status < 300 || response.status > 399) return { url: next, response };
      next = new URL(location, next).href;
      if (stopAt?.(next) || (next.startsWith(publicUrl) && !next.includes("/v1/session/")))
        return { url: next, response };
      response = await request(next);
    }
  }
  return { request, follow, jarOf };
}

type Browser = ReturnType<typeof browser>;
const isAnswer = (url: string) => url.startsWith(`${publicUrl}/v1/session/callback`);

/** Signs in as `account` and gives the address at which the issuer sends the person back. */
async function comeBack({ follow }: Browser, account: string, returnTo = "/"): Promise<string> {
  const begun = `${publicUrl}/v1/session/sign-in?returnTo=${encodeURIComponent(returnTo)}`;
  let at = await follow(begun, {}, isAnswer);
  for (let forms = 0; !isAnswer(at.url) && forms < 3; forms++) {
    const page = await at.response.text();
    const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1];
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1] ?? "";
    const body = new URLSearchParams({ prompt, login: account, password: "any" });
    at = await follow(new URL(action ?? "", at.url).href, { method: "POST", body }, isAnswer);
  }
  expect(isAnswer(at.url)).toBe(true);
  return at.url;
}

async function signIn(account: string, returnTo?: string) {
  const one = browser();
  const answer = await comeBack(one, account, returnTo);
  const { url } = await one.follow(answer);
  const session = async () => SessionResponse.parse(await (await one.request(`${publicUrl}/v1/session`)).json());
  return { ...one, answer, url, session };
}

describe("signing in at an issuer", () => {
  it.each([
    ["guests", ["read", "ops"]],
    ["plant", ["read", "forecast", "train", "promote", "alerts", "ops"]],
    ["owners", ["read", "forecast", "train", "promote", "alerts", "ops", "admin"]],
  ])("makes of %s a person with their scopes, back where they began", async (account, scopes) => {
    await start();
    const { url, session, request } = await signIn(account, "/sensors/a?lead=3");
    expect(url).toBe(`${publicUrl}/sensors/a?lead=3`);
    expect(await session()).toMatchObject({ hasIssuer: true, actor: { kind: "person", scopes } });
    expect((await request(`${publicUrl}/v1/sensors`)).status).toBe(200);
    expect((await request(`${publicUrl}/v1/keys`)).status).toBe(account === "owners" ? 200 : 403);
  });

  it("asks for a code with PKCE, and keeps the attempt in a cookie that no script reads", async () => {
    await start();
    const response = await api.app.request(`${publicUrl}/v1/session/sign-in`);
    const asked = new URL(response.headers.get("Location") ?? "");
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      response_type: "code",
      code_challenge_method: "S256",
      redirect_uri: `${publicUrl}/v1/session/callback`,
      state: expect.stringMatching(/.{20}/),
      nonce: expect.stringMatching(/.{20}/),
    });
    expect(response.headers.get("Set-Cookie")).toMatch(
      /^__Host-sign-in=.*; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax/,
    );
  });

  it("works for a client that has no secret, by PKCE alone, only where the issuer allows it", async () => {
    await start({}, null);
    const { url } = await signIn("owners");
    expect(url).toBe(`${publicUrl}/sign-in?problem=refused`);
  });

  it("gives nothing to who has no role, and writes down who came", async () => {
    await start({ bootstrapKey: "bootstrap-key-0123456789" });
    const { url, session } = await signIn("strangers");
    expect(url).toBe(`${publicUrl}/sign-in?problem=role`);
    expect((await session()).actor).toMatchObject({ kind: "anonymous", scopes: [] });
    const owner = await signIn("owners");
    const audit = await AuditPage.parseAsync(await (await owner.request(`${publicUrl}/v1/audit`)).json());
    expect(audit.items[0]).toMatchObject({
      action: "session.open",
      actorKind: "person",
      actorId: "owners",
      result: "ok",
    });
  });

  it("takes an answer once, from the browser that asked, and no other", async () => {
    await start();
    const one = browser();
    const answer = await comeBack(one, "owners");
    expect((await browser().follow(answer)).url).toBe(`${publicUrl}/sign-in?problem=late`);
    const other = browser();
    await other.request(`${publicUrl}/v1/session/sign-in`);
    expect((await other.follow(answer)).url).toBe(`${publicUrl}/sign-in?problem=refused`);
    const forged = new URL(answer);
    forged.searchParams.set("state", "forged");
    const third = browser();
    const own = new URL(await comeBack(third, "owners"));
    own.searchParams.set("code", "forged");
    expect((await third.follow(own.href)).url).toBe(`${publicUrl}/sign-in?problem=refused`);
    expect((await one.follow(answer)).url).toBe(`${publicUrl}/`);
    expect((await one.follow(answer)).url).toBe(`${publicUrl}/sign-in?problem=late`);
  });

  it.each(["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\nx", "/ä"])(
    "never leads to %j afterwards",
    async (returnTo) => {
      await start();
      expect((await signIn("guests", returnTo)).url).toBe(`${publicUrl}/`);
    },
  );

  it("says that the issuer is away, and tries again at the next sign-in", async () => {
    const provider = openIdProvider({
      issuer: "http://127.0.0.1:1",
      clientId: "x",
      clientSecret: null,
      scope: "openid",
    });
    await start({ issuer: { provider, rules: { claim: "groups", members } } });
    for (let i = 0; i < 2; i++) {
      const response = await api.app.request(`${publicUrl}/v1/session/sign-in`);
      expect([response.status, await response.json()]).toMatchObject([503, { code: "issuerUnavailable" }]);
    }
    expect((await getAs(api.app, "/v1/session", SessionResponse)).hasIssuer).toBe(true);
  });
});
