import { stringify } from "csv-stringify/sync";

type Cell = string | number | Date | null;

/**
 * A CSV document (RFC 4180) with a header line, or without one what goes on behind it; null is empty, times are RFC
 * 3339 UTC.
 */
export function toCsv(header: string[] | null, rows: Iterable<Cell[]>): string {
  return stringify([...(header ? [header] : []), ...rows], {
    record_delimiter: "windows",
    cast: { string: guardFormula, date: (at) => at.toISOString() },
  });
}

/** What a spreadsheet takes for the beginning of a formula, also in full width and behind blanks. */
const formula = /^(\s*[=+\-@\uFF0B\uFF0D\uFF1D\uFF20]|[\t\r\n])/;

/**
 * Text that a spreadsheet would run as a formula gets an apostrophe before it; csv-stringify's own guard knows no
 * blanks.
 */
function guardFormula(text: string): string {
  return formula.test(text) ? `'${text}` : text;
}
