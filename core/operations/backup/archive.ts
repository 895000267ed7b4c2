import { sha256Of } from "../../model/sha256.ts";
import type { Log } from "../../ports.ts";
import { addSeconds } from "../../time.ts";
import { DayManifest, dayManifestPath, type Fingerprint, type Leaf, type StoredFile } from "./manifest.ts";
import type { BackupFiles, BackupSource, Piece } from "./ports.ts";
import { readFileOf, readManifest } from "./read.ts";

export type ArchiveSettings = {
  codeVersion: string;
  /** A day is closed so long after its end: what is late has come, and every lead of its moments is scored. */
  closedAfterSeconds: number;
};

const daySeconds = 86_400;

/**
 * Writes each closed day that is not in the archive as it is now, and reads it back: only then it is noted. A day that
 * fails is tried again with the next pass and costs no other. Gives back the days written.
 */
export async function archiveClosedDays(
  { source, files, log }: { source: BackupSource; files: BackupFiles; log: Log },
  settings: ArchiveSettings,
  now: Date,
): Promise<{ written: number; failed: number }> {
  const known = new Map((await source.archivedDays()).map((one) => [`${one.table} ${one.day}`, one]));
  const leaves = await source.snapshot((snapshot) => snapshot.leaves());
  const counts = { written: 0, failed: 0 };
  for (const leaf of leaves.filter((one) => isClosed(one, settings, now))) {
    try {
      const manifest = await source.snapshot(async (snapshot) => {
        const archive = snapshot.archive(leaf);
        if (archive === null) return null;
        const found = await snapshot.fingerprint(leaf);
        if (found.rows === 0 || isSame(known.get(`${leaf.table} ${leaf.day}`), found)) return null;
        const { columns, pieces } = archive;
        return writeDay(files, pieces, { ...head(leaf, found, settings, now), columns });
      });
      if (manifest === null) continue;
      await verifyDay(files, manifest);
      const { table, day, rows, checksum } = manifest;
      const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
      await source.saveArchivedDay({ table, day, rows, checksum, bytes, archivedAt: now });
      log.info("archive.written", { table, day, rows, bytes });
      counts.written++;
    } catch (error) {
      log.error("archive.failed", { table: leaf.table, day: leaf.day, error });
      counts.failed++;
    }
  }
  return counts;
}

/** Whether nothing more comes to a day. */
export function isClosed(
  { day }: Leaf,
  { closedAfterSeconds }: Pick<ArchiveSettings, "closedAfterSeconds">,
  now: Date,
) {
  return day !== null && addSeconds(new Date(`${day}T00:00:00Z`), daySeconds + closedAfterSeconds) <= now;
}

/** Whether two fingerprints are of the same rows. */
export function isSame(a: Fingerprint | undefined, b: Fingerprint): boolean {
  return a !== undefined && a.rows === b.rows && a.checksum === b.checksum;
}

function head({ table, day }: Leaf, found: Fingerprint, { codeVersion }: ArchiveSettings, now: Date) {
  return { format: 1 as const, table, day: day!, ...found, codeVersion, archivedAt: now.toISOString() };
}

async function writeDay(
  files: BackupFiles,
  pieces: AsyncIterable<Piece>,
  rest: Omit<DayManifest, "files">,
): Promise<DayManifest> {
  const path = dayManifestPath(rest.table, rest.day);
  const stored: StoredFile[] = [];
  for await (const { rows, bytes } of pieces) {
    const name = `part-${String(stored.length).padStart(5, "0")}.parquet`;
    stored.push(await store(files, path.replace("manifest.json", name), bytes, rows));
  }
  const manifest = { ...rest, files: stored };
  await files.write(path, new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`));
  return manifest;
}

/** Writes a file and tells what it is. */
export async function store(files: BackupFiles, path: string, bytes: Uint8Array, rows: number): Promise<StoredFile> {
  const sha256 = await sha256Of(bytes);
  await files.write(path, bytes);
  return { path, bytes: bytes.length, sha256, rows };
}

/** Reads a day back. Throws artefactRejected for a file that is not what its manifest says. */
export async function verifyDay(
  files: BackupFiles,
  expected: Pick<DayManifest, "table" | "day">,
): Promise<DayManifest> {
  const manifest = await readManifest(files, dayManifestPath(expected.table, expected.day), DayManifest);
  for (const file of manifest.files) await readFileOf(files, file);
  return manifest;
}
