import { lastLead } from "../../core/model/leads.ts";
import type { BackupPorts, BackupSettings } from "../../core/operations/backup/backup.ts";
import type { BackupFiles, RestoreTarget } from "../../core/operations/backup/ports.ts";
import type { Log } from "../../core/ports.ts";
import { postgresBackupSource } from "../adapters/postgres/backup/source.ts";
import { postgresRestoreTarget } from "../adapters/postgres/backup/target.ts";
import { openDatabase } from "../adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../adapters/postgres/schema.ts";
import type { Config } from "../config/environment.ts";
import { openPredictor } from "./predictor.ts";

/** A day of a large fleet is read and compared in one statement each. */
const statementTimeoutMs = 600_000;
/** One holds the snapshot, another notes what was done. */
const connections = 2;

/** What a backup has, for as long as `opened` lives. */
export async function openBackupPorts(config: Config, log: Log, opened: AsyncDisposableStack): Promise<BackupPorts> {
  const predictor = openPredictor(config, connections, { statementTimeoutMs, applicationName: "iot-lstm-backup" });
  opened.defer(() => predictor.close());
  return { log, source: postgresBackupSource(predictor.db, config.codeVersion), files: await openBackupFiles(config) };
}

/** BACKUP_STORE: a folder or a bucket. */
export async function openBackupFiles({ backupStore, s3Endpoint }: Config): Promise<BackupFiles> {
  if (!backupStore.startsWith("s3://")) {
    const { folderBackupFiles } = await import("../adapters/backup-files.ts");
    return folderBackupFiles(backupStore);
  }
  const { s3BackupFiles } = await import("../adapters/s3-backup-files.ts");
  const { host, pathname } = new URL(backupStore);
  return s3BackupFiles({ bucket: host, prefix: pathname, endpoint: s3Endpoint });
}

/** The empty database at `url`, to be filled. */
export function openRestoreTarget(url: string, config: Config, opened: AsyncDisposableStack): RestoreTarget {
  const { databaseDriver: driver, codeVersion } = config;
  const target = openDatabase<PredictorSchema>({
    url,
    side: "predictor",
    driver,
    max: connections,
    statementTimeoutMs,
  });
  opened.defer(() => target.close());
  return postgresRestoreTarget(target.db, codeVersion);
}

/** What the configuration says of backups. */
export function backupSettingsOf({ codeVersion, backupRetentionDays, leads, stepSeconds }: Config): BackupSettings {
  // Scores of a day come up to a day after its last lead.
  return {
    codeVersion,
    retentionDays: backupRetentionDays,
    closedAfterSeconds: lastLead(leads) * stepSeconds + 86_400,
  };
}
