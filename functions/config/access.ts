import { type RoleRules, roles } from "../../core/access/scope.ts";
import { AppError } from "../../core/errors.ts";
import type { Config } from "./environment.ts";

/** A key that guards more than this machine: 32 characters of hex are 128 bits. */
const leastKeyLength = 32;

/** How to make a credential, for every message that asks for one. */
const remedy =
  "set API_KEY (openssl rand -hex 32), or OIDC_ISSUER with OIDC_CLIENT_ID, or make a key with npm run keys -- create; or listen on HOST=127.0.0.1";

/** Throws misconfigured where what listens beyond this machine would stand open, or an issuer is half configured. */
export function assertAccess(config: Config, { isLoopback, hasKeys }: { isLoopback: boolean; hasKeys: boolean }): void {
  const { apiKey, oidcIssuer, oidcClientId } = config;
  if (oidcIssuer !== null && oidcClientId === null) {
    throw new AppError("misconfigured", "OIDC_ISSUER is set: OIDC_CLIENT_ID must be, too");
  }
  if (oidcIssuer !== null && roles.every((role) => roleRulesOf(config).members[role].length === 0)) {
    const text =
      "OIDC_ISSUER is set, but nobody has a role: name values of the claim in OIDC_ADMINS, OIDC_OPERATORS or OIDC_VIEWERS";
    throw new AppError("misconfigured", `${text} (* is everybody who signs in)`);
  }
  if (isLoopback) return;
  if (apiKey === null && oidcIssuer === null && !hasKeys) {
    throw new AppError(
      "misconfigured",
      `HOST=${config.host} is reached from other machines, and nothing guards it: ${remedy}`,
    );
  }
  if (apiKey !== null && apiKey.length < leastKeyLength) {
    const text = `API_KEY has ${apiKey.length} characters; beyond this machine it must have at least ${leastKeyLength}`;
    throw new AppError("misconfigured", `${text}: openssl rand -hex 32`);
  }
}

/** Which values of the claim make which role. */
export function roleRulesOf(config: Config): RoleRules {
  const { oidcRoleClaim: claim, oidcViewers: viewer, oidcOperators: operator, oidcAdmins: admin } = config;
  return { claim, members: { viewer, operator, admin } };
}
