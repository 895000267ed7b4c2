import type { DeliveryTry, OpenChannel } from "./channel.ts";
import type { NewNotice, Notice } from "./ports.ts";

/** What goes out at once: one notice, or a digest of several. Its key is the same however often it is tried. */
export type Batch = {
  key: string;
  /** The first hundred of them at most. */
  notices: Notice[];
  total: number;
  attempts: number;
};

/** What came of a try. `isFinal`: trying again cannot help. */
export type Sent = { isOk: true; detail: string } | { isOk: false; detail: string; isFinal: boolean };

/** What is still to be told, in its order. */
export type Outbox = {
  /** Null where there is none, or it is off. Throws misconfigured where its secret cannot be read. */
  channel(channelId: string): Promise<OpenChannel | null>;
  /** Adds a notice, such as a test. */
  add(notice: NewNotice, now: Date): Promise<void>;
  /**
   * The oldest that is due, as it was put together before or is now; null when there is none. Of one rule nothing
   * overtakes what was written before it.
   */
  next(channelId: string, now: Date): Promise<Batch | null>;
  /** Logs the try, and marks what was delivered, is to be tried again at `againAt`, or is given up (null). */
  settle(channelId: string, batch: Batch, made: DeliveryTry, againAt: Date | null): Promise<void>;
  /** When the next is due, of each channel that has any; what waits behind another of its rule is not. */
  waiting(): Promise<{ channelId: string; dueAt: Date }[]>;
};

/** How a kind of channel tells something. Never throws for what the receiver does. */
export type Sender = (channel: OpenChannel, batch: Batch) => Promise<Sent>;
