import * as z from "zod";

const name = z.string().regex(/^[a-z_][a-z0-9_]*$/);
const day = z.iso.date();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();

/** Rows and the sum of their hashes, in decimal: the same rows give the same, in whatever order they lie. */
export const Fingerprint = z.object({ rows: count, checksum: z.string().regex(/^-?\d+$/) });
export type Fingerprint = z.infer<typeof Fingerprint>;

/** A table without days, or one day of a table that has them (`name` is then the day's own). */
export const Leaf = z.object({ name, table: name, day: day.nullable() });
export type Leaf = z.infer<typeof Leaf>;

const StoredFile = z.object({ path: z.string(), bytes: count, sha256, rows: count });
export type StoredFile = z.infer<typeof StoredFile>;

/** One closed day of one table as Parquet: `manifest.json` beside its files. */
export const DayManifest = z.object({
  format: z.literal(1),
  table: name,
  day,
  ...Fingerprint.shape,
  columns: z.array(z.object({ name, type: z.string() })),
  files: z.array(StoredFile),
  codeVersion: z.string(),
  archivedAt: z.iso.datetime(),
});
export type DayManifest = z.infer<typeof DayManifest>;

/** A whole database at one moment: what its own files hold, and the archived days that belong to it. */
export const BackupManifest = z.object({
  format: z.literal(1),
  backupId: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  codeVersion: z.string(),
  migrations: z.array(z.string()).min(1),
  /** Tables that the role which made it may not read: they are not in it. */
  hidden: z.array(name),
  /** Of each table and day; `archived`: its rows are in the archive, not in `files`. */
  leaves: z.array(z.object({ ...Leaf.shape, ...Fingerprint.shape, archived: z.boolean() })),
  files: z.array(z.object({ ...StoredFile.shape, table: name })),
  /** What generated numbers go on from. */
  sequences: z.array(z.object({ table: name, column: name, last: count })),
});
export type BackupManifest = z.infer<typeof BackupManifest>;

/** Where a day's manifest lies. */
export function dayManifestPath(table: string, dayText: string): string {
  return `archive/${table}/day=${dayText}/manifest.json`;
}

/** Where a backup's manifest lies: it is written last, so that a backup is whole or none. */
export function backupManifestPath(backupId: string): string {
  return `backups/${backupId}/manifest.json`;
}
