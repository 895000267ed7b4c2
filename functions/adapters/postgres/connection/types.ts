import pg from "pg";

const float4Array = 1021;
const float8Array = 1022;
const int2Array = 1005;
const int8 = 20;

/** Parses arrays of numbers in one pass and int8 to a number; everything else as pg does. Changes nothing global. */
export function getTypeParser(oid: number, format?: "text" | "binary"): (text: string) => unknown {
  if (format !== "binary") {
    if (oid === float8Array || oid === float4Array || oid === int2Array) return parseNumbers;
    if (oid === int8) return parseInt8;
  }
  return pg.types.getTypeParser(oid, format);
}

/** "{1,NULL,2.5}" to numbers and nulls; one dimension only. */
export function parseNumbers(text: string): (number | null)[] {
  if (text.length <= 2) return [];
  return text
    .slice(1, -1)
    .split(",")
    .map((item) => (item === "NULL" ? null : Number(item)));
}

function parseInt8(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}
