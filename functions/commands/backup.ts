import { parseArgs } from "node:util";
import Table from "cli-table3";
import { AppError } from "../../core/errors.ts";
import { backup, listBackups, verifyBackup } from "../../core/operations/backup/backup.ts";
import type { BackupManifest } from "../../core/operations/backup/manifest.ts";
import { restore } from "../../core/operations/backup/restore.ts";
import { loadConfig } from "../config/environment.ts";
import { openDatabases } from "../machine/databases.ts";
import { backupSettingsOf, openBackupFiles, openBackupPorts, openRestoreTarget } from "../runtime/backup.ts";
import { openCurrentPredictor } from "../runtime/predictor.ts";
import { openLog } from "../runtime/process.ts";

const usage = `npm run backup -- now                          archives closed days, then backs up the rest, and reads it back
npm run backup -- list
npm run backup -- verify [BACKUP]              reads every file of a backup (the newest) and of its archived days
npm run backup -- restore --to URL [--backup BACKUP]   into an empty database; ends with equal checksums of every table`;

/** Does what the arguments say and gives the text to print. Throws badInput for what it cannot read. */
export async function runBackup(args: string[]): Promise<string> {
  const { command, backupId, to } = parse(args);
  await using opened = new AsyncDisposableStack();
  const given = await loadConfig();
  const log = await openLog({ ...given, logLevel: "warn" });
  switch (command) {
    case "now": {
      const needs = { follower: false, predictor: true };
      const { config } = await openDatabases(given, log, opened, { needs, mayShare: true });
      await openCurrentPredictor(config, opened, 1);
      const ports = await openBackupPorts(config, log, opened);
      const made = await backup(ports, backupSettingsOf(config), () => new Date());
      return `${tableOf([made])}\n\nin ${ports.files.place}; npm run backup -- restore --to URL puts it back`;
    }
    case "list": {
      const files = await openBackupFiles(given);
      const found = await listBackups(files);
      return found.length === 0 ? `no backup in ${files.place}: npm run backup -- now` : tableOf(found);
    }
    case "verify": {
      const files = await openBackupFiles(given);
      const manifest = await verifyBackup(files, backupId, { deep: true });
      return `${tableOf([manifest])}\n\nevery file is as it was written`;
    }
    case "restore": {
      if (to === undefined) throw new AppError("badInput", `restore needs --to URL\n${usage}`);
      const target = openRestoreTarget(to, given, opened);
      const manifest = await restore({ files: await openBackupFiles(given), target, log }, backupId);
      const hidden =
        manifest.hidden.length === 0
          ? ""
          : `\nnot in it, because its role may not read them: ${manifest.hidden.join(", ")}`;
      return `${tableOf([manifest])}\n\nrestored; every table has the checksum that it had${hidden}`;
    }
    default:
      throw new AppError("badInput", usage);
  }
}

function tableOf(backups: BackupManifest[]): string {
  const head = ["backup", "finished", "version", "rows", "MB", "archived days"];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { backupId, finishedAt, codeVersion, leaves, files } of backups) {
    const rows = leaves.reduce((sum, leaf) => sum + leaf.rows, 0);
    const megabytes = files.reduce((sum, file) => sum + file.bytes, 0) / 1e6;
    const archived = leaves.filter((leaf) => leaf.archived).length;
    table.push([backupId, finishedAt.slice(0, 19), codeVersion, rows, megabytes.toFixed(2), archived]);
  }
  return table.toString();
}

function parse(args: string[]) {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { to: text, backup: text } });
  const [command, subject] = positionals;
  return { command, backupId: values.backup ?? subject ?? null, to: values.to };
}

if (import.meta.main) {
  try {
    console.log(await runBackup(process.argv.slice(2)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
