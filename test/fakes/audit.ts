import type { AuditEntry } from "../../core/access/audit.ts";

/** What was written down, oldest first. */
export function memoryAudit() {
  const entries: AuditEntry[] = [];
  return { entries, record: async (entry: AuditEntry) => void entries.push(entry) };
}
