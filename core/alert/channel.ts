import * as z from "zod";

const address = z.email().max(254);
const secretText = z.string().min(1).max(2_000);
const url = z.url({ protocol: /^https?$/ }).max(2_000);

/** How brokers of Kafka are signed in to. */
export const saslMechanisms = ["plain", "scram-sha-256", "scram-sha-512"] as const;

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
  z
    .strictObject({
      kind: z.literal("kafka"),
      brokers: z
        .array(z.string().regex(/^[A-Za-z0-9][\w.-]{0,252}:\d{1,5}$/, "must be host:port"))
        .min(1)
        .max(20),
      topic: z.string().regex(/^[\w.-]{1,249}$/, "must be letters, digits, dots, dashes and _"),
      isEncrypted: z.boolean().default(true),
      sasl: z.strictObject({ mechanism: z.enum(saslMechanisms), username: z.string().min(1).max(256) }).nullable(),
    })
    .refine(({ isEncrypted, sasl }) => isEncrypted || sasl?.mechanism !== "plain", {
      path: ["isEncrypted"],
      message: "must be true with plain, which sends the password as it is",
    }),
]);
export type ChannelSettings = z.infer<typeof ChannelSettings>;
export type ChannelKind = ChannelSettings["kind"];

/** What of a channel is secret: the key that signs; the whole URL where that is the key; a password. Null: nothing. */
export function secretOf(settings: ChannelSettings): z.ZodType<string> | null {
  switch (settings.kind) {
    case "webhook":
      return secretText.min(16, "must have at least 16 characters");
    case "slack":
    case "teams":
      return url;
    case "kafka":
      return settings.sasl === null ? null : secretText;
    default:
      return null;
  }
}

/** Whether a kind tells each notice by itself: then none may be missing where many go out at once. */
export function tellsEach(kind: ChannelKind): boolean {
  return kind === "mqtt" || kind === "kafka";
}

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
