import { accessMode } from "../../core/access/actor.ts";
import { faultOf } from "../../core/access/authenticate.ts";
import { systemClock } from "../adapters/clock.ts";
import { postgresAudit } from "../adapters/postgres/access/audit.ts";
import { postgresKeys } from "../adapters/postgres/access/keys.ts";
import { postgresSessions } from "../adapters/postgres/access/sessions.ts";
import type { Database } from "../adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../adapters/postgres/schema.ts";
import type { AccessServices } from "../api/access/services.ts";
import { assertAccess, roleRulesOf } from "../config/access.ts";
import type { Config } from "../config/environment.ts";

/** Keys, sessions and the audit, in the predictor database. */
export function accessPorts({ db }: Database<PredictorSchema>) {
  return { keys: postgresKeys(db), sessions: postgresSessions(db), audit: postgresAudit(db) };
}

/** What guards the API. Throws misconfigured where something listens beyond this machine and nothing would guard it. */
export async function openAccess(
  config: Config,
  predictor: Database<PredictorSchema>,
  { isLoopback }: { isLoopback: boolean },
): Promise<AccessServices> {
  const clock = systemClock();
  const ports = accessPorts(predictor);
  const hasKeys = async () => (await ports.keys.list()).some((key) => faultOf(key, clock.now()) === null);
  const { apiKey, oidcIssuer, access, publicUrl, trustProxy } = config;
  const hasCredentials = apiKey !== null || oidcIssuer !== null;
  assertAccess(config, { isLoopback, hasKeys: isLoopback || hasCredentials || (await hasKeys()) });
  return {
    ...ports,
    clock,
    mode: accessMode({ isLoopback, hasCredentials, access }),
    bootstrapKey: apiKey,
    // On AWS there is nothing more to set: the API key's holder could make links anyway.
    shareKey: config.shareSecretKey ?? apiKey,
    issuer: await openIssuer(config),
    publicUrl,
    trustsProxy: trustProxy,
    limits: {
      readsPerSecond: config.readsPerSecond,
      writesPerMinute: config.writesPerMinute,
      trainingsPerDay: config.trainingsPerDay,
    },
  };
}

async function openIssuer(config: Config): Promise<AccessServices["issuer"]> {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: clientSecret, oidcScope: scope } = config;
  if (issuer === null || clientId === null) return null;
  const { openIdProvider } = await import("../adapters/openid.ts");
  return { provider: openIdProvider({ issuer, clientId, clientSecret, scope }), rules: roleRulesOf(config) };
}
