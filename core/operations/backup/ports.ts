import type { Fingerprint, Leaf } from "./manifest.ts";

/** Where backups and archives lie: a folder or a bucket. */
export type BackupFiles = {
  /** For people: a path or an s3:// address. */
  place: string;
  /** Null when there is none. */
  read(path: string): Promise<Uint8Array | null>;
  /** Whole or not at all; replaces what is there. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Paths that begin with `prefix`, ascending. */
  list(prefix: string): Promise<string[]>;
  /** Null where old backups go by the bucket's own rules. */
  remove: ((path: string) => Promise<void>) | null;
};

/** Some rows of a table, as bytes of a file. */
export type Piece = { rows: number; bytes: Uint8Array };

/** The predictor database as it was at one moment, whoever writes meanwhile. */
export type Snapshot = {
  migrations(): Promise<string[]>;
  /** Every table and day that this role may read, parents before those that refer to them. */
  leaves(): Promise<Leaf[]>;
  /** Tables that it may not read. */
  hidden(): Promise<string[]>;
  fingerprint(leaf: Leaf): Promise<Fingerprint>;
  /** All rows, bounded pieces of them at a time: one JSON object a line, compressed. */
  dump(leaf: Leaf): AsyncIterable<Piece>;
  sequences(): Promise<{ table: string; column: string; last: number }[]>;
  /** The rows of a day as Parquet; null for a table that is not archived. */
  archive(leaf: Leaf): { columns: { name: string; type: string }[]; pieces: AsyncIterable<Piece> } | null;
};

/** What a backup asks of the database that it is made of. */
export type BackupSource = {
  snapshot<T>(use: (snapshot: Snapshot) => Promise<T>): Promise<T>;
  /** Days that are archived as they are now, or were. */
  archivedDays(): Promise<ArchivedDay[]>;
  saveArchivedDay(day: ArchivedDay): Promise<void>;
  saveBackup(backup: BackupNote): Promise<void>;
};

/** A day of a table in the archive. */
export type ArchivedDay = { table: string; day: string; bytes: number; archivedAt: Date } & Fingerprint;

/** That a backup was made, and read back. */
export type BackupNote = {
  backupId: string;
  startedAt: Date;
  finishedAt: Date;
  place: string;
  bytes: number;
  rows: number;
};

/** A database that nothing is in yet. */
export type RestoreTarget = {
  /** Brings it to this code's version; gives back the names of all migrations. Throws conflict where it has tables. */
  prepare(): Promise<string[]>;
  /** Rows of `dump`; days that they fall on are made. */
  load(table: string, bytes: Uint8Array): Promise<void>;
  /** Rows of `archive`. */
  loadArchived(table: string, day: string, bytes: Uint8Array): Promise<void>;
  setSequence(sequence: { table: string; column: string; last: number }): Promise<void>;
  snapshot: BackupSource["snapshot"];
};
