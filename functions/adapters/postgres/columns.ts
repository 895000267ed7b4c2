import { type CamelCase, camelCase } from "../../config/case.ts";

/** A column's SQL type, and by `T` what it holds here. */
export type Column<T> = { sqlType: string; holds?: T };
export type Columns = Record<string, Column<unknown>>;

/** A column of an SQL type that holds a T. */
export function column<T>(sqlType: string): Column<T> {
  return { sqlType };
}

type HeldBy<C> = C extends Column<infer T> ? T : never;
/** A row as Postgres gives it: snake_case. */
export type RowOf<Table extends Columns> = { [Name in keyof Table]: HeldBy<Table[Name]> };
/** The same values under the names that core knows: camelCase. */
export type FieldsOf<Table extends Columns> = {
  [Name in keyof Table & string as CamelCase<Name>]: HeldBy<Table[Name]>;
};

const pairs = new WeakMap<Columns, [column: string, field: string][]>();

/** A table's names in both forms, made once: rows come by the thousand. */
function namesOf(columns: Columns): [column: string, field: string][] {
  const known = pairs.get(columns) ?? Object.keys(columns).map((name) => [name, camelCase(name)]);
  pairs.set(columns, known);
  return known;
}

/** The row of an object; what is no column of the table stays out. */
export function toRow<Table extends Columns>(columns: Table, fields: FieldsOf<Table>): RowOf<Table> {
  const given: Record<string, unknown> = fields;
  // Object.fromEntries knows no keys; the types above say what this does.
  return Object.fromEntries(namesOf(columns).map(([name, field]) => [name, given[field]])) as RowOf<Table>;
}

/** The object that `toRow` made a row of, equal in every field; other columns of the row stay out. */
export function toFields<Table extends Columns>(columns: Table, row: RowOf<Table>): FieldsOf<Table> {
  return Object.fromEntries(namesOf(columns).map(([name, field]) => [field, row[name]])) as FieldsOf<Table>;
}
