import type { z } from "zod";
import type {
  ChannelList,
  ChannelRequest,
  ChannelResponse,
  DeliveryList,
  TestAccepted,
} from "../../functions/api/contract/alerts.ts";
import { type Answer, get, send } from "./client.ts";

/** Where alerts are told. */
export type Channel = z.infer<typeof ChannelResponse>;
export type ChannelDraft = z.input<typeof ChannelRequest>;
export type DeliveryTry = z.infer<typeof DeliveryList>["items"][number];

const path = "/v1/alert-channels";
const pathOf = (channelId: string) => `${path}/${encodeURIComponent(channelId)}`;

export function getChannels(signal: AbortSignal): Promise<Answer<z.infer<typeof ChannelList>>> {
  return get(path, {}, signal);
}

export function makeChannel(draft: ChannelDraft): Promise<Answer<Channel>> {
  return send("POST", path, draft);
}

export function changeChannel(channelId: string, draft: ChannelDraft): Promise<Answer<Channel>> {
  return send("PUT", pathOf(channelId), draft);
}

export function removeChannel(channelId: string): Promise<Answer<unknown>> {
  return send("DELETE", pathOf(channelId));
}

/** Sends a test on its way; the try is found among the deliveries under its key. */
export function testChannel(channelId: string): Promise<Answer<z.infer<typeof TestAccepted>>> {
  return send("POST", `${pathOf(channelId)}:test`, {});
}

/** The newest tries to deliver. */
export function getDeliveries(channelId: string, signal: AbortSignal): Promise<Answer<z.infer<typeof DeliveryList>>> {
  return get(`${pathOf(channelId)}/deliveries`, { limit: 20 }, signal);
}
