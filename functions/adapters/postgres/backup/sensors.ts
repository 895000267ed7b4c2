import { type Kysely, sql } from "kysely";
import type { Leaf } from "../../../../core/operations/backup/manifest.ts";
import type { PredictorSchema } from "../schema.ts";

/** Whose rows a day has, ascending. */
export async function sensorsOf(db: Kysely<PredictorSchema>, { name }: Leaf, column: string): Promise<string[]> {
  const { rows } = await sql<{ sensor: string }>`
    select distinct ${sql.ref(column)}::text as sensor from ${sql.table(name)} order by 1`.execute(db);
  return rows.map(({ sensor }) => sensor);
}
