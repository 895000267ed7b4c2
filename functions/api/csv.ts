import { stringify } from "csv-stringify/sync";
import { guardFormula } from "../../core/formula.ts";

type Cell = string | number | Date | null;

/**
 * A CSV document (RFC 4180) with a header line, or without one what goes on behind it; null is empty, times are RFC
 * 3339 UTC.
 */
export function toCsv(header: string[] | null, rows: Iterable<Cell[]>): string {
  return stringify([...(header ? [header] : []), ...rows], {
    record_delimiter: "windows",
    // Its own guard knows no blanks before a formula.
    cast: { string: guardFormula, date: (at) => at.toISOString() },
  });
}
