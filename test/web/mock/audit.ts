import type { z } from "zod";
import { AuditPage } from "../../../functions/api/contract/access.ts";

/** What the audit says: some entries, as many as are asked for, of sixty. */
export function auditOf(now: number, limit: number): z.infer<typeof AuditPage> {
  const items = Array.from({ length: Math.min(limit, 60) }, (_, i) => ({
    ...{ auditId: 60 - i, at: new Date(now - i * 3_600_000).toISOString(), actorKind: "key" as const },
    ...{ actorId: "key-1", actorName: i % 2 === 0 ? "operator <b>" : "nightly", action: "models.promote" },
    object: i % 3 === 0 ? null : `models/room${i}-2016w17-with-a-name-as-long-as-they-come`,
    ...{ address: "192.0.2.7", requestId: `r${i}`, result: i % 5 === 0 ? "403" : "ok" },
  }));
  return AuditPage.parse({ items, nextCursor: limit < 60 ? "more" : null });
}
