import type { Kysely } from "kysely";
import type { Leaf } from "../../../../core/operations/backup/manifest.ts";
import type { ParquetColumn, ParquetRow } from "../../parquet.ts";
import type { PredictorSchema } from "../schema.ts";

/** How the days of one table lie in the archive. */
export type Archived = {
  columns: ParquetColumn[];
  /** Of some sensors, all rows of a day. */
  read(db: Kysely<PredictorSchema>, leaf: Leaf, sensors: string[]): Promise<ParquetRow[]>;
  /** Puts the rows of a file back; the table's days are made. */
  write(db: Kysely<PredictorSchema>, rows: ParquetRow[]): Promise<void>;
  /** Whose rows a day has, ascending. */
  sensors(db: Kysely<PredictorSchema>, leaf: Leaf): Promise<string[]>;
};
