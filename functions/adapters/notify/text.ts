import type { Batch } from "../../../core/alert/outbox.ts";
import type { Notice } from "../../../core/alert/ports.ts";

const most = 20;
const words: Record<Notice["kind"], string> = {
  fired: "fires",
  repeated: "still fires",
  cleared: "is over",
  blinded: "is blind",
  test: "test",
};

/** One line that says what it is about. */
export function titleOf({ notices, total }: Batch): string {
  const first = notices[0];
  if (first === undefined) return "Nothing";
  if (total === 1) return `${first.rule.name} ${words[first.kind]}`;
  const rules = new Set(notices.map(({ rule }) => rule.ruleId)).size;
  const sensors = new Set(notices.map(({ sensor }) => sensor?.sensorId)).size;
  const what = notices.every(({ kind }) => kind === "blinded") ? "Blind" : "Alerts";
  return `${what}: ${total} notices, ${rules} rules, ${sensors} sensors`;
}

/** A line a notice, at most twenty, then how many more there are. */
export function bodyOf({ notices, total }: Batch): string {
  const lines = notices.slice(0, most).map(({ text, rule, kind, severity, at }) => {
    const head = total === 1 ? "" : `${rule.name} ${words[kind]} · `;
    return `${head}${oneLine(text)} (${severity}, ${at.slice(0, 16).replace("T", " ")} UTC)`;
  });
  return total > most ? [...lines, `... and ${total - most} more`].join("\n") : lines.join("\n");
}

/** Names come from outside: a line break in one must not make a line, or a header, of its own. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
}
