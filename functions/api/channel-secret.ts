import { type Channel, type ChannelKind, secretOf } from "../../core/alert/channel.ts";
import { secretFault } from "../../core/alert/secret.ts";
import { refuse } from "./problem.ts";

const secretWords: Partial<Record<ChannelKind, string>> = {
  webhook: "the key that signs",
  slack: "the incoming webhook's URL",
  teams: "the incoming webhook's URL",
  kafka: "the password",
};

/** Refuses with 422 a secret that the kind cannot use, or lacks. */
export function checkSecret(
  settings: Channel["settings"],
  secret: string | undefined,
  { isKept, prefix }: { isKept: boolean; prefix: string | null },
): void {
  const { kind } = settings;
  const bad = (message: string) => refuse(422, { code: "badInput", detail: `secret: ${message}` });
  if (secretOf(settings) === null) {
    if (secret !== undefined) throw bad(`a channel of kind ${kind} ${kind === "kafka" ? "without sasl " : ""}has none`);
    return;
  }
  if (secret === undefined) {
    if (!isKept) throw bad(`give ${secretWords[kind] ?? "it"}`);
    return;
  }
  const fault = secretFault(settings, secret, prefix);
  if (fault !== null) throw bad(fault);
}
