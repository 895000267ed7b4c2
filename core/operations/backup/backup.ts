import type { Log } from "../../ports.ts";
import { addSeconds } from "../../time.ts";
import { type ArchiveSettings, archiveClosedDays, isSame, store, verifyDay } from "./archive.ts";
import { BackupManifest, backupManifestPath, DayManifest, dayManifestPath } from "./manifest.ts";
import type { BackupFiles, BackupSource, Snapshot } from "./ports.ts";
import { readFileOf, readManifest } from "./read.ts";

export type BackupPorts = { source: BackupSource; files: BackupFiles; log: Log };
export type BackupSettings = ArchiveSettings & {
  /** Backups that are older go, but for the newest two. */
  retentionDays: number;
};

const daySeconds = 86_400;
/** Whatever their age: one may be under way, or the last good one. */
const alwaysKept = 2;

/**
 * Archives the closed days, then stores all the rest of the database as it is at one moment, reads it back and notes
 * it. A day is left out of the rest only while its archive holds the very rows that are there.
 */
export async function backup(
  { source, files, log }: BackupPorts,
  settings: BackupSettings,
  clock: () => Date,
): Promise<BackupManifest> {
  const startedAt = clock();
  await archiveClosedDays({ source, files, log }, settings, startedAt);
  const backupId = startedAt.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const archived = new Map((await source.archivedDays()).map((one) => [`${one.table} ${one.day}`, one]));
  const made = await source.snapshot((snapshot) =>
    write(snapshot, files, backupId, (table, day) => archived.get(`${table} ${day}`)),
  );
  const { codeVersion } = settings;
  const times = { startedAt: startedAt.toISOString(), finishedAt: clock().toISOString() };
  const manifest = { format: 1 as const, backupId, ...times, codeVersion, ...made };
  await files.write(backupManifestPath(backupId), new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`));
  await verifyBackup(files, backupId, { deep: false });
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const rows = manifest.leaves.reduce((sum, leaf) => sum + leaf.rows, 0);
  await source.saveBackup({ backupId, startedAt, finishedAt: clock(), place: files.place, bytes, rows });
  const gone = await prune(files, settings, startedAt);
  if (manifest.hidden.length > 0) log.warn("backup.hidden", { backupId, tables: manifest.hidden });
  log.info("backup.made", { backupId, place: files.place, bytes, rows, removed: gone });
  return manifest;
}

async function write(
  snapshot: Snapshot,
  files: BackupFiles,
  backupId: string,
  archivedAs: (table: string, day: string | null) => { rows: number; checksum: string } | undefined,
): Promise<Pick<BackupManifest, "migrations" | "hidden" | "leaves" | "files" | "sequences">> {
  const leaves: BackupManifest["leaves"] = [];
  const written: BackupManifest["files"] = [];
  for (const leaf of await snapshot.leaves()) {
    const found = await snapshot.fingerprint(leaf);
    const archived = isSame(archivedAs(leaf.table, leaf.day), found);
    leaves.push({ ...leaf, ...found, archived });
    if (archived) continue;
    let part = 0;
    for await (const { rows, bytes } of snapshot.dump(leaf)) {
      const path = `backups/${backupId}/${leaf.name}-${String(part++).padStart(5, "0")}.ndjson.gz`;
      written.push({ ...(await store(files, path, bytes, rows)), table: leaf.table });
    }
  }
  const [migrations, hidden] = [await snapshot.migrations(), await snapshot.hidden()];
  return { migrations, hidden, leaves, files: written, sequences: await snapshot.sequences() };
}

/** Every backup there is, oldest first: those that were finished. */
export async function listBackups(files: BackupFiles): Promise<BackupManifest[]> {
  const paths = (await files.list("backups/")).filter((path) => path.endsWith("/manifest.json"));
  const found: BackupManifest[] = [];
  for (const path of paths) found.push(await readManifest(files, path, BackupManifest));
  return found;
}

/**
 * Reads a backup (the newest without an id) as a restore would. Throws notFound, or artefactRejected for what is not as
 * it was written; `deep`: the archived days, too.
 */
export async function verifyBackup(
  files: BackupFiles,
  backupId: string | null,
  { deep }: { deep: boolean },
): Promise<BackupManifest> {
  const manifest = backupId === null ? await newestBackup(files) : await readBackup(files, backupId);
  for (const file of manifest.files) await readFileOf(files, file);
  for (const { table, day } of manifest.leaves.filter(({ archived }) => archived)) {
    if (deep) await verifyDay(files, { table, day: day! });
    else await readManifest(files, dayManifestPath(table, day!), DayManifest);
  }
  return manifest;
}

/** The manifest of a backup. */
export async function readBackup(files: BackupFiles, backupId: string): Promise<BackupManifest> {
  return readManifest(files, backupManifestPath(backupId), BackupManifest);
}

/** The last backup that was finished; throws notFound where there is none. */
export async function newestBackup(files: BackupFiles): Promise<BackupManifest> {
  const paths = (await files.list("backups/")).filter((path) => path.endsWith("/manifest.json"));
  return readManifest(files, paths.at(-1) ?? "backups", BackupManifest);
}

/** Removes backups past their time; how many. A bucket does that by its own rule. */
async function prune(files: BackupFiles, { retentionDays }: BackupSettings, now: Date): Promise<number> {
  const { remove } = files;
  if (remove === null) return 0;
  const paths = await files.list("backups/");
  const ids = [...new Set(paths.map((path) => path.split("/")[1]!))].sort();
  const oldest = addSeconds(now, -retentionDays * daySeconds)
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, "");
  const gone = ids.slice(0, -alwaysKept).filter((id) => id < oldest);
  for (const id of gone) {
    const own = paths.filter((path) => path.startsWith(`backups/${id}/`));
    // The manifest first: what is left of a backup is none.
    for (const path of own.sort((a) => (a.endsWith("/manifest.json") ? -1 : 1))) await remove(path);
  }
  return gone.length;
}
