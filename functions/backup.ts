import * as z from "zod";
import { once } from "../core/once.ts";
import { type BackupPorts, type BackupSettings, backup } from "../core/operations/backup/backup.ts";
import type { Clock } from "../core/ports.ts";
import { openBackupRuntime } from "./runtime.ts";

const BackupEvent = z.object({ time: z.iso.datetime() });

export function createBackupHandler(ports: BackupPorts & { clock: Clock }, settings: BackupSettings) {
  return async (event: unknown): Promise<{ backupId: string }> => {
    BackupEvent.parse(event);
    const { backupId } = await backup(ports, settings, () => ports.clock.now());
    return { backupId };
  };
}

const start = once(async () => {
  const { ports, settings } = await openBackupRuntime();
  return createBackupHandler(ports, settings);
});

export const handler = async (event: unknown) => (await start())(event);
