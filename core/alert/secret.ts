import { AppError } from "../errors.ts";
import { type ChannelSettings, secretOf } from "./channel.ts";

/** What names of variables begin with that channels may refer to: no other secret of the process is within reach. */
export const secretPrefix = "CHANNEL_SECRET_";
const reference = /^env:(CHANNEL_SECRET_[A-Z0-9_]{1,64})$/;

/** Why a secret cannot be one of this channel; null where it can. A reference is looked up when it is used. */
export function secretFault(settings: ChannelSettings, secret: string): string | null {
  if (reference.test(secret)) return null;
  if (secret.startsWith("env:")) return `a reference is written env:${secretPrefix}NAME, in capitals, digits and _`;
  const parsed = secretOf(settings)?.safeParse(secret);
  return parsed === undefined || parsed.success ? null : (parsed.error.issues[0]?.message ?? "cannot be used");
}

/** The secret that `stored` is or refers to. Throws misconfigured where nobody has set it, or it cannot be one. */
export function resolveSecret(
  stored: string | null,
  settings: ChannelSettings,
  channelId: string,
  known: Readonly<Record<string, string>>,
): string | null {
  const name = stored === null ? undefined : reference.exec(stored)?.[1];
  if (name === undefined) return stored;
  const secret = known[name];
  if (secret === undefined) {
    throw new AppError(
      "misconfigured",
      `channel ${channelId} refers to ${name}, which is not set where alerts are told`,
    );
  }
  const fault = secretFault(settings, secret);
  if (fault !== null) throw new AppError("misconfigured", `channel ${channelId} refers to ${name}, which ${fault}`);
  return secret;
}
