import * as z from "zod";

const address = z.email().max(254);
const secretText = z.string().min(1).max(2_000);
const url = z.url({ protocol: /^https?$/ }).max(2_000);

/** Where something is told. Mail server, broker and region are the operator's, in the configuration. */
export const ChannelSettings = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("webhook"), url }),
  z.strictObject({ kind: z.literal("slack") }),
  z.strictObject({ kind: z.literal("teams") }),
  z.strictObject({ kind: z.literal("email"), to: z.array(address).min(1).max(50) }),
  z.strictObject({
    kind: z.literal("sns"),
    topicArn: z.string().regex(/^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w-]{1,256}$/),
  }),
  z.strictObject({ kind: z.literal("mqtt") }),
]);
export type ChannelSettings = z.infer<typeof ChannelSettings>;
export type ChannelKind = ChannelSettings["kind"];

/** What of a kind is secret: a webhook's signing key; the whole URL of those to which it is the key. */
export const secretOf: Partial<Record<ChannelKind, z.ZodType<string>>> = {
  webhook: secretText.min(16, "must have at least 16 characters"),
  slack: url,
  teams: url,
};

export type Channel = {
  channelId: string;
  name: string;
  isEnabled: boolean;
  settings: ChannelSettings;
  hasSecret: boolean;
  createdAt: Date;
  createdBy: string;
};

/** A channel as it is used: with its secret. */
export type OpenChannel = Channel & { secret: string | null };

/** One try to deliver, as it is logged. */
export type DeliveryTry = {
  key: string;
  notifications: number;
  attempt: number;
  at: Date;
  elapsedMs: number;
  isOk: boolean;
  /** What the receiver said, shortened, or why it was not reached. */
  detail: string;
};

/** Channels as people list and change them. */
export type ChannelStore = {
  list(): Promise<Channel[]>;
  get(channelId: string): Promise<Channel | null>;
  /** Adds or replaces it; a secret of undefined stays as it is. */
  save(channel: Omit<Channel, "hasSecret">, secret: string | null | undefined): Promise<void>;
  /** False where there was none. Rules that name it stay, and tell it nothing. */
  remove(channelId: string): Promise<boolean>;
  /** Newest first. */
  deliveries(channelId: string, limit: number): Promise<DeliveryTry[]>;
};
