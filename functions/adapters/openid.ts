import * as client from "openid-client";
import type { IdentityProvider } from "../../core/access/ports.ts";
import { AppError } from "../../core/errors.ts";

export type OpenIdOptions = {
  /** As in the issuer's discovery document. */
  issuer: string;
  clientId: string;
  /** Null for a public client, which PKCE protects alone. */
  clientSecret: string | null;
  scope: string;
};

const timeoutSeconds = 10;

/** OpenID Connect by discovery; what the issuer publishes is asked for at the first sign-in and kept. */
export function openIdProvider({ issuer, clientId, clientSecret, scope }: OpenIdOptions): IdentityProvider {
  let known: Promise<client.Configuration> | undefined;

  async function discover(): Promise<client.Configuration> {
    const url = new URL(issuer);
    // Only an issuer on this machine, such as a test's, does without TLS.
    const isLocal = url.protocol === "http:" && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
    const secret = clientSecret === null ? client.None() : client.ClientSecretPost(clientSecret);
    known ??= client.discovery(url, clientId, clientSecret ?? undefined, secret, {
      timeout: timeoutSeconds,
      execute: isLocal ? [client.allowInsecureRequests] : [],
    });
    try {
      return await known;
    } catch (cause) {
      known = undefined;
      throw new AppError("issuerUnavailable", `issuer ${issuer}: discovery failed: ${String(cause)}`, { cause });
    }
  }

  return {
    async begin(redirectUrl) {
      const configuration = await discover();
      const verifier = client.randomPKCECodeVerifier();
      const attempt = { state: client.randomState(), nonce: client.randomNonce(), verifier };
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUrl,
        scope,
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
      return { url: url.href, attempt };
    },

    async finish(answerUrl, { state, nonce, verifier }) {
      const configuration = await discover();
      try {
        const checks = {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        };
        const tokens = await client.authorizationCodeGrant(configuration, new URL(answerUrl), checks);
        const claims = tokens.claims();
        if (claims === undefined) return null;
        const name = [claims.name, claims.email, claims.preferred_username].find((one) => typeof one === "string");
        return { subject: claims.sub, name: String(name ?? claims.sub).slice(0, 200), claims };
      } catch (error) {
        // What the issuer, or the library for it, refuses is an outcome; that it does not answer is a fault.
        if (isRefusal(error)) return null;
        throw new AppError("issuerUnavailable", `issuer ${issuer}: ${String(error)}`, { cause: error });
      }
    },
  };
}

function isRefusal(error: unknown): boolean {
  if (error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError) return true;
  return error instanceof client.ClientError && error.code !== "OAUTH_TIMEOUT";
}
