import { LRUCache } from "lru-cache";
import type { SecretReference, SecretSource } from "../../../core/alert/secret.ts";
import { AppError } from "../../../core/errors.ts";
import { once } from "../../../core/once.ts";

const timeoutMs = 5_000;
/** A secret that was changed is used after so long. */
const keptMs = 5 * 60_000;

/** The variables of the process that channels may refer to, and no others. */
export function variableSecrets(known: Readonly<Record<string, string>>): SecretSource {
  return async ({ store, name }) => (store === "env" && Object.hasOwn(known, name) ? (known[name] ?? null) : null);
}

/**
 * Parameters of SSM and secrets of AWS Secrets Manager beside the variables, by the role or the keys that the process
 * has; each is kept for five minutes. Their clients are loaded when the first is asked for.
 */
export function awsSecrets(variables: SecretSource): SecretSource {
  const [fromSsm, fromManager] = [once(openSsm), once(openManager)];
  const kept = new LRUCache<string, string>({ max: 200, ttl: keptMs });
  return async (reference) => {
    if (reference.store === "env") return variables(reference);
    const id = `${reference.store}:${reference.name}`;
    const known = kept.get(id);
    if (known !== undefined) return known;
    const secret = await (reference.store === "ssm" ? fromSsm : fromManager)()
      .then((read) => read(reference.name))
      .catch((error: unknown) => explain(error, id));
    if (secret !== null) kept.set(id, secret);
    return secret;
  };
}

type Read = (name: SecretReference["name"]) => Promise<string | null>;

async function openSsm(): Promise<Read> {
  const { GetParameterCommand, SSMClient } = await import("@aws-sdk/client-ssm");
  const client = new SSMClient({});
  return async (name) => {
    const command = new GetParameterCommand({ Name: name, WithDecryption: true });
    const { Parameter } = await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) });
    return Parameter?.Value ?? null;
  };
}

async function openManager(): Promise<Read> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
  const client = new SecretsManagerClient({});
  return async (name) => {
    const command = new GetSecretValueCommand({ SecretId: name });
    const { SecretString } = await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) });
    return SecretString ?? null;
  };
}

/** Null where AWS says that there is none; else what AWS said, with what to do about it. */
function explain(error: unknown, id: string): null {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === "ParameterNotFound" || name === "ResourceNotFoundException") return null;
  const remedy = /AccessDenied/.test(name)
    ? "may the role read what begins with ALERT_SECRET_PREFIX?"
    : /region|credentials/i.test(`${name} ${message}`)
      ? "is AWS set up where alerts are told (AWS_REGION and a role or keys)?"
      : "trying again may help";
  throw new AppError("misconfigured", `${id} could not be read: ${message}; ${remedy}`, { cause: error });
}
