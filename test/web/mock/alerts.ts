import {
  AlertPage,
  AlertResponse,
  ChannelList,
  ChannelRequest,
  ChannelResponse,
  DeliveryList,
  RehearsalResponse,
  Removed,
  RulePage,
  RuleRequest,
  RuleResponse,
  TestAccepted,
} from "../../../functions/api/contract/alerts.ts";
import { alertsOf, rehearsalOf, rulesOf } from "./alert-data.ts";
import type { Answer, MockState, Sent } from "./state.ts";

const ok = (body: unknown): Answer => ({ status: 200, body });

/** Rules, channels and what fires, as the API answers; null for what is none of them. */
export function answerAlerts(state: MockState, { pathname }: URL, { method, body }: Sent): Answer | null {
  const rule = rulesOf(state).items[0]!;
  if (pathname === "/v1/alerts") return ok(AlertPage.parse(alertsOf(state)));
  if (pathname === "/v1/alerts/1:acknowledge") {
    state.isAcknowledged = true;
    return ok(AlertResponse.parse(alertsOf(state).items[0]));
  }
  if (pathname === "/v1/alert-rules:rehearse") {
    state.sentRules.push(RuleRequest.parse((body as { rule: unknown }).rule));
    return ok(RehearsalResponse.parse(rehearsalOf(state)));
  }
  if (pathname === "/v1/alert-rules" && method === "GET") return ok(RulePage.parse(rulesOf(state)));
  if (pathname.startsWith("/v1/alert-rules")) {
    if (method === "DELETE") return ok(Removed.parse({ removed: true }));
    if (method === "GET") return ok(RuleResponse.parse(rule));
    state.sentRules.push(RuleRequest.parse(body));
    return ok(RuleResponse.parse({ ...rule, ...(body as object) }));
  }
  if (pathname.startsWith("/v1/alert-channels")) return answerChannels(state, pathname, method, body);
  return null;
}

function answerChannels(state: MockState, pathname: string, method: string, body: unknown): Answer {
  if (pathname.endsWith(":test")) {
    return ok(TestAccepted.parse({ channelId: "channel-1", idempotencyKey: "test-1", status: "queued" }));
  }
  if (pathname.endsWith("/deliveries")) {
    const at = new Date(state.now).toISOString();
    const item = { key: "test-1", notifications: 1, attempt: 1, at, elapsedMs: 12, isOk: true, detail: "204" };
    return ok(DeliveryList.parse({ items: [item] }));
  }
  if (method === "GET") return ok(ChannelList.parse({ items: state.channels }));
  if (method === "DELETE") {
    state.channels = [];
    return ok(Removed.parse({ removed: true }));
  }
  const { secret, ...channel } = ChannelRequest.parse(body);
  const head = { channelId: "channel-1", createdAt: new Date(state.now).toISOString(), createdBy: "anonymous" };
  const made = ChannelResponse.parse({ ...channel, ...head, hasSecret: secret !== undefined });
  state.channels = [made];
  return ok(made);
}
