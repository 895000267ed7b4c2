import type { ChannelKind } from "../../../core/alert/channel.ts";
import type { Sender } from "../../../core/alert/outbox.ts";

/** The sender of each kind; null where the operator has set nothing up for it, with what to set. */
export type Senders = Record<ChannelKind, (() => Promise<Sender>) | { lacks: string }>;

/** Tells each channel by its kind. A kind that nobody has set up is tried again: somebody may do so. */
export function byKind(senders: Senders): Sender {
  return async (channel, batch) => {
    const sender = senders[channel.settings.kind];
    if ("lacks" in sender) return { isOk: false, isFinal: false, detail: `${sender.lacks} is not set` };
    return (await sender())(channel, batch);
  };
}
