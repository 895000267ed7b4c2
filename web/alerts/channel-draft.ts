import type { Channel, ChannelDraft } from "../api/channels.ts";

export type ChannelKind = Channel["settings"]["kind"];

/** A channel as its form holds it; one text says where it goes, another what is secret. Pure. */
export type Draft = { name: string; isEnabled: boolean; kind: ChannelKind; address: string; secret: string };

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
};

/** A webhook with a key that nobody can guess. */
export function newChannel(): Draft {
  return { name: "", isEnabled: true, kind: "webhook", address: "", secret: newKey() };
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
  return { name, isEnabled, kind: settings.kind, address: addressOf(settings), secret: "" };
}

function addressOf(settings: Channel["settings"]): string {
  if (settings.kind === "webhook") return settings.url;
  if (settings.kind === "email") return settings.to.join(", ");
  return settings.kind === "sns" ? settings.topicArn : "";
}

/** What is sent; a secret that was left empty stays as it is. */
export function channelOf({ name, isEnabled, kind, address, secret }: Draft): ChannelDraft {
  const settings = settingsOf(kind, address.trim());
  return { name: name.trim(), isEnabled, settings, ...(secret.trim() === "" ? {} : { secret: secret.trim() }) };
}

function settingsOf(kind: ChannelKind, address: string): ChannelDraft["settings"] {
  switch (kind) {
    case "webhook":
      return { kind, url: address };
    case "email":
      return { kind, to: address.split(/[\s,;]+/).filter((one) => one !== "") };
    case "sns":
      return { kind, topicArn: address };
    default:
      return { kind };
  }
}

/** "Webhook, https://example.com/hook" */
export function describeChannel({ settings }: Channel): string {
  const address = addressOf(settings);
  const { name } = channelKinds[settings.kind];
  return address === "" ? name : `${name}, ${address}`;
}
