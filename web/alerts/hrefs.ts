/** The page of a rule, with its editor and rehearsal. */
export function ruleHref(ruleId: string): string {
  return `/alerts/rules/${encodeURIComponent(ruleId)}`;
}
