import { type DecodedArray, parquetReadObjects, type SchemaElement } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";

/** What a column holds; times in milliseconds of UTC, lists of one dimension. Everything may be null. */
export type ParquetType =
  | "text"
  | "time"
  | "integer"
  | "bigint"
  | "double"
  | "boolean"
  | "integers"
  | "doubles"
  | "booleans";
export type ParquetColumn = { name: string; type: ParquetType };
export type ParquetRow = Record<string, unknown>;

/** The rows as one Parquet file: Snappy, dictionaries where they pay. */
export function toParquet(rows: ParquetRow[], columns: ParquetColumn[], about: Record<string, string>): Uint8Array {
  const columnData = columns.map(({ name }) => ({ name, data: rows.map((row) => row[name] ?? null) as DecodedArray }));
  const kvMetadata = Object.entries(about).map(([key, value]) => ({ key, value }));
  const schema: SchemaElement[] = [{ name: "root", num_children: columns.length }, ...columns.flatMap(schemaOf)];
  return new Uint8Array(parquetWriteBuffer({ columnData, schema, kvMetadata, rowGroupSize: 100_000 }));
}

/** The rows of a file that `toParquet` wrote, equal in every value. */
export async function fromParquet(bytes: Uint8Array): Promise<ParquetRow[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  return parquetReadObjects({ file });
}

const elements = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  time: { type: "INT64", converted_type: "TIMESTAMP_MILLIS" },
  integer: { type: "INT32" },
  bigint: { type: "INT64" },
  double: { type: "DOUBLE" },
  boolean: { type: "BOOLEAN" },
} as const;

function schemaOf({ name, type }: ParquetColumn): SchemaElement[] {
  const optional = { repetition_type: "OPTIONAL" } as const;
  if (type !== "integers" && type !== "doubles" && type !== "booleans")
    return [{ name, ...elements[type], ...optional }];
  const element = elements[type.slice(0, -1) as "integer" | "double" | "boolean"];
  return [
    { name, num_children: 1, converted_type: "LIST", ...optional },
    { name: "list", num_children: 1, repetition_type: "REPEATED" },
    { name: "element", ...element, ...optional },
  ];
}
