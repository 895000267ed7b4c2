import { AppError } from "../errors.ts";
import { type ChannelSettings, secretOf } from "./channel.ts";

/** What names of variables begin with that channels may refer to: no other secret of the process is within reach. */
export const secretPrefix = "CHANNEL_SECRET_";

/** Where a secret lies: a variable, a parameter of SSM, a secret of AWS Secrets Manager. */
export type SecretReference = { store: "env" | "ssm" | "secretsmanager"; name: string };

/** What a reference leads to; null where there is nothing. Throws where nobody could look. */
export type SecretSource = (reference: SecretReference) => Promise<string | null>;

/** Where references may lead: in AWS to names that begin with `prefix`, such as "/forecasts/alerts/"; null: to none. */
export type Secrets = { prefix: string | null; find: SecretSource };

/** What `text` refers to, or why it may not; null where it is a secret itself. */
function referenceIn(text: string, prefix: string | null): SecretReference | { fault: string } | null {
  const parsed = /^(env|ssm|secretsmanager):(.*)$/s.exec(text);
  if (parsed === null) return null;
  const [store, name] = [parsed[1] as SecretReference["store"], parsed[2] ?? ""];
  if (store === "env") {
    if (/^CHANNEL_SECRET_[A-Z0-9_]{1,64}$/.test(name)) return { store, name };
    return { fault: `a reference is written env:${secretPrefix}NAME, in capitals, digits and _` };
  }
  if (prefix === null) return { fault: `${store}: needs ALERT_SECRET_PREFIX, which says what may be named, and AWS` };
  // Parameters begin with a slash, secrets' names do not.
  const start = store === "ssm" ? prefix : prefix.slice(1);
  const rest = name.startsWith(start) ? name.slice(start.length) : "";
  if (/^\w[\w.-]*(\/\w[\w.-]*)*$/.test(rest) && name.length <= 500) return { store, name };
  return { fault: `a reference is written ${store}:${start}NAME, by ALERT_SECRET_PREFIX` };
}

/** Why a secret cannot be one of this channel; null where it can. A reference is looked up when it is used. */
export function secretFault(settings: ChannelSettings, secret: string, prefix: string | null = null): string | null {
  const reference = referenceIn(secret, prefix);
  if (reference !== null) return "fault" in reference ? reference.fault : null;
  const parsed = secretOf(settings)?.safeParse(secret);
  return parsed === undefined || parsed.success ? null : (parsed.error.issues[0]?.message ?? "cannot be used");
}

/**
 * The secret that `stored` is or refers to. Throws misconfigured where it may not be named, nobody has set it, or it
 * cannot be one.
 */
export async function resolveSecret(
  stored: string | null,
  settings: ChannelSettings,
  channelId: string,
  { prefix, find }: Secrets,
): Promise<string | null> {
  const reference = stored === null ? null : referenceIn(stored, prefix);
  if (reference === null) return stored;
  const wrong = (what: string) => new AppError("misconfigured", `channel ${channelId}: ${what}`);
  if ("fault" in reference) throw wrong(reference.fault);
  const { store, name } = reference;
  const said = store === "env" ? name : `${store}:${name}`;
  const secret = await find(reference);
  if (secret === null) throw wrong(`refers to ${said}, which is not set where alerts are told`);
  const parsed = secretOf(settings)?.safeParse(secret);
  if (parsed?.success === false)
    throw wrong(`refers to ${said}, which ${parsed.error.issues[0]?.message ?? "cannot be used"}`);
  return secret;
}
