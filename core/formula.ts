/** What a spreadsheet takes for the beginning of a formula, also in full width and behind blanks. */
const formula = /^(\s*[=+\-@\uFF0B\uFF0D\uFF1D\uFF20]|[\t\r\n])/;

/** Text as a cell of a spreadsheet: what one would run as a formula gets an apostrophe before it. */
export function guardFormula(text: string): string {
  return formula.test(text) ? `'${text}` : text;
}
