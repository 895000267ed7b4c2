type Cell = string | number | Date | null;

/** A CSV document (RFC 4180) with a header line; null is empty, times are RFC 3339 UTC. */
export function toCsv(header: string[], rows: Iterable<Cell[]>): string {
  const lines = [header.map(cell).join(",")];
  for (const row of rows) lines.push(row.map(cell).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

/** What a spreadsheet takes for the beginning of a formula, also in full width and behind blanks. */
const formula = /^(\s*[=+\-@\uFF0B\uFF0D\uFF1D\uFF20]|[\t\r\n])/;

/** Text that a spreadsheet would run as a formula gets an apostrophe before it; numbers stay numbers. */
function cell(value: Cell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  if (value instanceof Date) return value.toISOString();
  const safe = formula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
