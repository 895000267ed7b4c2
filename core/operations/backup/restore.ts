import { AppError } from "../../errors.ts";
import type { Log } from "../../ports.ts";
import { verifyDay } from "./archive.ts";
import { newestBackup, readBackup } from "./backup.ts";
import type { BackupManifest, Fingerprint } from "./manifest.ts";
import type { BackupFiles, RestoreTarget } from "./ports.ts";
import { readFileOf } from "./read.ts";

/**
 * Fills an empty database from a backup (the newest without an id) and compares every table and day with what it was.
 * Throws conflict where the database is not empty, misconfigured for another version's backup, artefactRejected where
 * a file or a table is not as it was.
 */
export async function restore(
  { files, target, log }: { files: BackupFiles; target: RestoreTarget; log: Log },
  backupId: string | null,
): Promise<BackupManifest> {
  const manifest = backupId === null ? await newestBackup(files) : await readBackup(files, backupId);
  const migrations = await target.prepare();
  checkVersion(manifest, migrations);
  const order = new Map(manifest.leaves.map(({ table }, place) => [table, place]));
  const loaded = [...manifest.files].sort((a, b) => (order.get(a.table) ?? 0) - (order.get(b.table) ?? 0));
  for (const file of loaded) await target.load(file.table, await readFileOf(files, file));
  for (const { table, day } of manifest.leaves.filter(({ archived }) => archived)) {
    const archivedDay = await verifyDay(files, { table, day: day! });
    for (const file of archivedDay.files) await target.loadArchived(table, day!, await readFileOf(files, file));
    log.info("restore.day", { table, day, rows: archivedDay.rows });
  }
  for (const sequence of manifest.sequences) await target.setSequence(sequence);
  await compare(target, manifest);
  log.info("restore.done", { backupId: manifest.backupId, tables: manifest.leaves.length });
  return manifest;
}

function checkVersion({ backupId, codeVersion, migrations }: BackupManifest, own: string[]): void {
  if (JSON.stringify(migrations) === JSON.stringify(own)) return;
  throw new AppError(
    "misconfigured",
    `backup ${backupId} is of version ${codeVersion} (${migrations.at(-1)}), this one has ${own.at(-1)}: restore it with ` +
      `version ${codeVersion}, then start the newer one, which brings the database up to date`,
  );
}

/** Table by table: its days may be cut otherwise than they were. */
async function compare(target: RestoreTarget, manifest: BackupManifest): Promise<void> {
  const expected = sumOf(manifest.leaves);
  const found = await target.snapshot(async (snapshot) => {
    const leaves = (await snapshot.leaves()).filter(({ table }) => expected.has(table));
    const prints = [];
    for (const leaf of leaves) prints.push({ ...leaf, ...(await snapshot.fingerprint(leaf)) });
    return sumOf(prints);
  });
  const text = (one: Sum | undefined) => (one ? `${one.rows} rows (${one.checksum})` : "nothing");
  const wrong = [...expected].flatMap(([table, sum]) =>
    text(found.get(table)) === text(sum) ? [] : [`${table} has ${text(found.get(table))}, not ${text(sum)}`],
  );
  if (wrong.length === 0) return;
  const what = `restored from ${manifest.backupId}, but ${wrong.length} tables differ`;
  throw new AppError("artefactRejected", `${what}: ${wrong.slice(0, 5).join("; ")}`);
}

type Sum = { rows: number; checksum: bigint };

function sumOf(leaves: ({ table: string } & Fingerprint)[]): Map<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const { table, rows, checksum } of leaves) {
    const sum = sums.get(table) ?? { rows: 0, checksum: 0n };
    sums.set(table, { rows: sum.rows + rows, checksum: sum.checksum + BigInt(checksum) });
  }
  return sums;
}
