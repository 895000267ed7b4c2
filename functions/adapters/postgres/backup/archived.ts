import { type Kysely, sql } from "kysely";
import type { Leaf } from "../../../../core/operations/backup/manifest.ts";
import type { Piece, Snapshot } from "../../../../core/operations/backup/ports.ts";
import { fromParquet, toParquet } from "../../parquet.ts";
import type { PredictorSchema } from "../schema.ts";
import { archivedForecasts } from "./archived-forecasts.ts";
import { archivedOutcomes } from "./archived-outcomes.ts";
import { archivedMoments, archivedScores, archivedScoresBefore } from "./archived-scores.ts";
import type { Archived } from "./archived-table.ts";

/** By the name of the table. */
const archived: Record<string, Archived> = {
  issued: archivedForecasts,
  scored_moment: archivedMoments,
  scored: archivedScores,
  score: archivedScoresBefore,
  outcome: archivedOutcomes,
};

/** A day of scores of a hundred sensors at ten-minute steps, about 5 MB. */
const rowsInFile = 30_000;
const sensorsInFile = 100;

/** The day as Parquet; null for what is no day of an archived table. */
export function archiveOf(
  db: Kysely<PredictorSchema>,
  leaf: Leaf,
  codeVersion: string,
): ReturnType<Snapshot["archive"]> {
  const own = archived[leaf.table];
  if (own === undefined || leaf.day === null) return null;
  return { columns: own.columns, pieces: piecesOf(own, db, leaf, codeVersion) };
}

async function* piecesOf(
  own: Archived,
  db: Kysely<PredictorSchema>,
  leaf: Leaf,
  codeVersion: string,
): AsyncIterable<Piece> {
  const sensors = await own.sensors(db, leaf);
  const known = await sql<{ n: number }>`select count(*)::float8 as n from ${sql.table(leaf.name)}`.execute(db);
  const rowsPerSensor = known.rows[0]!.n / sensors.length;
  const atOnce = Math.max(1, Math.min(sensorsInFile, Math.floor(rowsInFile / rowsPerSensor)));
  for (let i = 0; i < sensors.length; i += atOnce) {
    const rows = await own.read(db, leaf, sensors.slice(i, i + atOnce));
    yield { rows: rows.length, bytes: toParquet(rows, own.columns, { day: leaf.day!, codeVersion }) };
  }
}

/** Puts an archived file's rows back into their table, whose days are there once `makeDays` has seen them. */
export async function restoreArchived(
  db: Kysely<PredictorSchema>,
  table: string,
  bytes: Uint8Array,
  makeDays: (rows: Record<string, unknown>[]) => Promise<void>,
): Promise<void> {
  const rows = await fromParquet(bytes);
  await makeDays(rows);
  await archived[table]!.write(db, rows);
}
