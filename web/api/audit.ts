import type { AuditPage } from "../client/client.ts";
import { type Answer, api, settle } from "./client.ts";

export type AuditEntry = AuditPage["items"][number];

/** Who did what, newest first. */
export function getAudit(limit: number, signal: AbortSignal): Promise<Answer<AuditPage>> {
  return settle(api.get("/v1/audit", { query: { limit }, signal }));
}
