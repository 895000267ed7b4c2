import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { AppError } from "../../core/errors.ts";
import type { BackupFiles } from "../../core/operations/backup/ports.ts";

/** Backups and archives in a folder. Throws storeUnavailable when the disk fails. */
export function folderBackupFiles(folder: string): BackupFiles {
  return {
    place: folder,

    async read(path) {
      return guarded(folder, async () => new Uint8Array(await readFile(join(folder, path)))).catch(unlessMissing(null));
    },

    async write(path, bytes) {
      const final = join(folder, path);
      const temporary = join(dirname(final), `.${randomUUID()}`);
      await guarded(folder, async () => {
        await mkdir(dirname(final), { recursive: true });
        try {
          await using file = await open(temporary, "wx");
          await file.writeFile(bytes);
          await file.sync();
          await rename(temporary, final);
        } catch (error) {
          await rm(temporary, { force: true });
          throw error;
        }
        // The name is on the disk only when its folder is.
        await using parent = await open(dirname(final), "r");
        await parent.sync();
      });
    },

    async list(prefix) {
      const found = await guarded(folder, () =>
        readdir(join(folder, dirname(`${prefix}.`)), { recursive: true, withFileTypes: true }),
      ).catch(unlessMissing([]));
      return found
        .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
        .filter((path) => path.startsWith(prefix))
        .sort();
    },

    async remove(path) {
      await guarded(folder, () => rm(join(folder, path), { force: true }));
      // Fails while other files are in it, which is well.
      await rmdir(dirname(join(folder, path))).catch(() => undefined);
    },
  };
}

async function guarded<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new AppError("storeUnavailable", `backup folder ${folder}: ${text}`, { cause: error });
  }
}

function unlessMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    const { cause } = error as AppError;
    const code = cause instanceof Error && "code" in cause ? cause.code : null;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return instead;
    throw error;
  };
}
