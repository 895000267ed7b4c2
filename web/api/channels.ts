import type {
  AlertChannel,
  AlertChannelList,
  AlertChannelRequest,
  AlertDeliveryList,
  AlertTestAccepted,
} from "../client/client.ts";
import { type Answer, api, settle } from "./client.ts";

/** Where alerts are told. */
export type Channel = AlertChannel;
export type ChannelDraft = AlertChannelRequest;
export type DeliveryTry = AlertDeliveryList["items"][number];

const one = "/v1/alert-channels/{id}";

export function getChannels(signal: AbortSignal): Promise<Answer<AlertChannelList>> {
  return settle(api.get("/v1/alert-channels", { signal }));
}

export function makeChannel(draft: ChannelDraft): Promise<Answer<Channel>> {
  return settle(api.post("/v1/alert-channels", { body: draft }));
}

export function changeChannel(channelId: string, draft: ChannelDraft): Promise<Answer<Channel>> {
  return settle(api.put(one, { path: { id: channelId }, body: draft }));
}

export function removeChannel(channelId: string): Promise<Answer<unknown>> {
  return settle(api.delete(one, { path: { id: channelId } }));
}

/** Sends a test on its way; the try is found among the deliveries under its key. */
export function testChannel(channelId: string): Promise<Answer<AlertTestAccepted>> {
  return settle(api.post("/v1/alert-channels/{id}:test", { path: { id: channelId } }));
}

/** The newest tries to deliver. */
export function getDeliveries(channelId: string, signal: AbortSignal): Promise<Answer<AlertDeliveryList>> {
  return settle(
    api.get("/v1/alert-channels/{id}/deliveries", { path: { id: channelId }, query: { limit: 20 }, signal }),
  );
}
