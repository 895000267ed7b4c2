import type { Channel, ChannelDraft } from "../api/channels.ts";

export type ChannelKind = Channel["settings"]["kind"];

type KafkaSettings = Extract<Channel["settings"], { kind: "kafka" }>;
/** How brokers are signed in to; empty: not at all. */
export type SaslMechanism = NonNullable<KafkaSettings["sasl"]>["mechanism"] | "";

/** A channel as its form holds it; one text says where it goes, another what is secret. Pure. */
export type Draft = {
  name: string;
  isEnabled: boolean;
  kind: ChannelKind;
  address: string;
  secret: string;
  kafka: { topic: string; isEncrypted: boolean; mechanism: SaslMechanism; username: string };
};

type Asked = { label: string; hint: string };
/** What is asked for a kind. */
export type KindWords = { name: string; address: Asked | null; secret: Asked | null; note: string };

export const channelKinds: Record<ChannelKind, KindWords> = {
  webhook: {
    name: "Webhook",
    address: { label: "URL", hint: "https://example.com/hook" },
    secret: { label: "Key that signs, 16 characters or more", hint: "" },
    note: "JSON, signed as Standard Webhooks say. The key is never shown again: give it to the receiver now.",
  },
  slack: {
    name: "Slack",
    address: null,
    secret: { label: "Incoming webhook's URL", hint: "https://hooks.slack.com/services/…" },
    note: "The URL is kept encrypted.",
  },
  teams: {
    name: "Microsoft Teams",
    address: null,
    secret: { label: "Incoming webhook's URL", hint: "https://…" },
    note: "The URL is kept encrypted.",
  },
  email: {
    name: "E-mail",
    address: { label: "To, with commas between", hint: "ops@example.com" },
    secret: null,
    note: "By the operator's SMTP server, or SES.",
  },
  sns: {
    name: "Amazon SNS",
    address: { label: "Topic ARN", hint: "arn:aws:sns:eu-central-1:123456789012:alerts" },
    secret: null,
    note: "The workers need the permission to publish to it.",
  },
  mqtt: {
    name: "MQTT",
    address: null,
    secret: null,
    note: "On the operator's broker, with Home Assistant's discovery.",
  },
  kafka: {
    name: "Kafka",
    address: { label: "Brokers, with commas between", hint: "kafka-1.example.com:9092, kafka-2.example.com:9092" },
    secret: { label: "Password", hint: "" },
    note: "A message a notice, under the rule's id, so that each rule keeps its order. The password is kept encrypted.",
  },
};

/** A webhook with a key that nobody can guess. */
export function newChannel(): Draft {
  return { name: "", isEnabled: true, kind: "webhook", address: "", secret: newKey(), kafka: noKafka };
}

const noKafka: Draft["kafka"] = { topic: "", isEncrypted: true, mechanism: "", username: "" };

/** What is asked as the secret; null where the draft has none. */
export function secretAsked({ kind, kafka }: Draft): Asked | null {
  return kind === "kafka" && kafka.mechanism === "" ? null : channelKinds[kind].secret;
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...bytes));
}

/** The draft with another kind: what belonged to the one before goes. */
export function asKind(draft: Draft, kind: ChannelKind): Draft {
  return { ...draft, kind, address: "", secret: kind === "webhook" ? newKey() : "" };
}

export function channelDraftOf({ name, isEnabled, settings }: Channel): Draft {
  const head = { name, isEnabled, kind: settings.kind, address: addressOf(settings), secret: "" };
  if (settings.kind !== "kafka") return { ...head, kafka: noKafka };
  const { topic, isEncrypted, sasl } = settings;
  const kafka = { topic, isEncrypted, mechanism: sasl?.mechanism ?? ("" as const), username: sasl?.username ?? "" };
  return { ...head, kafka };
}

function addressOf(settings: Channel["settings"]): string {
  if (settings.kind === "webhook") return settings.url;
  if (settings.kind === "email") return settings.to.join(", ");
  if (settings.kind === "kafka") return settings.brokers.join(", ");
  return settings.kind === "sns" ? settings.topicArn : "";
}

/** What is sent; a secret that was left empty stays as it is. */
export function channelOf(draft: Draft): ChannelDraft {
  const { name, isEnabled } = draft;
  const secret = secretAsked(draft) === null ? "" : draft.secret;
  const settings = settingsOf(draft, draft.address.trim());
  return { name: name.trim(), isEnabled, settings, ...(secret.trim() === "" ? {} : { secret: secret.trim() }) };
}

function settingsOf({ kind, kafka }: Draft, address: string): ChannelDraft["settings"] {
  switch (kind) {
    case "webhook":
      return { kind, url: address };
    case "email":
      return { kind, to: listOf(address) };
    case "kafka": {
      const { topic, isEncrypted, mechanism, username } = kafka;
      const sasl = mechanism === "" ? null : { mechanism, username: username.trim() };
      return { kind, brokers: listOf(address), topic: topic.trim(), isEncrypted, sasl };
    }
    case "sns":
      return { kind, topicArn: address };
    default:
      return { kind };
  }
}

function listOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter((one) => one !== "");
}

/** "Webhook, https://example.com/hook" */
export function describeChannel({ settings }: Channel): string {
  const address = addressOf(settings);
  const { name } = channelKinds[settings.kind];
  const what = settings.kind === "kafka" ? `topic ${settings.topic} at ${address}` : address;
  return what === "" ? name : `${name}, ${what}`;
}
