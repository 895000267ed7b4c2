import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { link, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "../../core/errors.ts";
import { printArtefact } from "../../core/model/artefact-digest.ts";
import type { ArtefactFiles } from "../../core/model/fleet/files.ts";
import type { Artefact } from "../../core/model/manifest.ts";
import type { ModelStore } from "../../core/model/ports.ts";
import {
  artefactFiles,
  checkModelId,
  checkPath,
  checkSame,
  checkSameBytes,
  checkSize,
  parseArtefact,
  signatureFile,
} from "./artefact-files.ts";

/** Artefacts in `folder`, one folder each, named after the model. Throws storeUnavailable when the disk fails. */
export function folderStore(folder: string): ModelStore {
  const get = async (modelId: string) => readArtefactFolder(join(folder, checkModelId(modelId)));
  return {
    get,
    async put(artefact) {
      const { modelId } = artefact.manifest;
      const final = join(folder, checkModelId(modelId));
      // Hidden, so that no model has its name; whole and on the disk before it gets one.
      const temporary = join(folder, `.${modelId}.${randomUUID()}`);
      try {
        await makePrivate(folder, temporary);
        await writeWhole(temporary, artefact);
        await rename(temporary, final);
        await syncFolder(folder);
      } catch (error) {
        // The first failure is the one to report.
        await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
        if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw unavailable(folder, error);
        const known = await get(modelId);
        if (!known) return;
        await checkSame(known, artefact);
        const { signature } = artefact;
        if (signature !== undefined && signature !== known.signature) await replace(final, signatureFile, signature);
      }
    },
  };
}

/** Files of fleets' artefacts in `folder`. Throws storeUnavailable when the disk fails. */
export function folderFiles(folder: string): ArtefactFiles {
  const read = async (path: string) => {
    try {
      return await readBounded(join(folder, ...checkPath(path)));
    } catch (error) {
      if (hasCode(error, "ENOENT", "ENOTDIR", "EISDIR")) return null;
      if (error instanceof AppError) throw error;
      throw unavailable(folder, error);
    }
  };
  return {
    read,
    async write(path, bytes) {
      const final = join(folder, ...checkPath(path));
      // Hidden until it is whole; a link, unlike a rename, never replaces what is there.
      const temporary = join(folder, `.${randomUUID()}`);
      try {
        await makePrivate(folder, dirname(final));
        await writeSynced(temporary, bytes);
        await link(temporary, final);
        await syncFolder(dirname(final));
      } catch (error) {
        if (!hasCode(error, "EEXIST")) throw unavailable(folder, error);
        const known = await read(path);
        if (known) checkSameBytes(path, known, bytes);
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}

/** The same of fleets' files. */
export function layeredFiles(first: ArtefactFiles, second: Pick<ArtefactFiles, "read">): ArtefactFiles {
  return {
    read: async (path) => (await first.read(path)) ?? (await second.read(path)),
    async write(path, bytes) {
      const bundled = await second.read(path);
      if (bundled) return checkSameBytes(path, bundled, bytes);
      await first.write(path, bytes);
    },
  };
}

/** Reads from `first`, and from `second` what is not there; writes to `first`. */
export function layeredStore(first: ModelStore, second: Pick<ModelStore, "get">): ModelStore {
  return {
    get: async (modelId) => (await first.get(modelId)) ?? (await second.get(modelId)),
    async put(artefact) {
      const bundled = await second.get(artefact.manifest.modelId);
      if (bundled) await checkSame(bundled, artefact);
      await first.put(artefact);
    },
  };
}

/** The artefact in a folder, null when there is no such folder. Throws artefactRejected for files that do not parse. */
export async function readArtefactFolder(folder: string): Promise<Artefact | null> {
  try {
    const files = [artefactFiles.onnx, artefactFiles.manifest, artefactFiles.golden] as const;
    const [onnx, manifest, golden] = await Promise.all(files.map((name) => readBounded(join(folder, name))));
    const text = new TextDecoder();
    const signature = await readBounded(join(folder, signatureFile)).catch((error: unknown) => {
      if (hasCode(error, "ENOENT")) return null;
      throw error;
    });
    return parseArtefact(folder, {
      ...{ onnx: onnx!, manifest: text.decode(manifest), golden: text.decode(golden) },
      signature: signature && text.decode(signature),
    });
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return null;
    if (error instanceof AppError) throw error;
    throw unavailable(folder, error);
  }
}

/**
 * A file's bytes. Throws artefactRejected, before anything is read, for one that is larger than a file of its name may
 * be, and for what is no file at all: a pipe or a device would be waited for or read for ever.
 */
async function readBounded(path: string): Promise<Uint8Array> {
  // Not blocking: opening a pipe that nobody writes would wait, too.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const found = await file.stat();
  if (found.isDirectory()) throw Object.assign(new Error(`${path} is a folder`), { code: "EISDIR" });
  if (!found.isFile()) throw new AppError("artefactRejected", `${path} is not a plain file`);
  checkSize(path, found.size);
  const bytes = new Uint8Array(found.size);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  return bytes.subarray(0, bytesRead);
}

async function writeWhole(folder: string, artefact: Artefact): Promise<void> {
  const { manifest, golden } = printArtefact(artefact);
  await writeSynced(join(folder, artefactFiles.onnx), artefact.onnx);
  await writeSynced(join(folder, artefactFiles.golden), golden);
  if (artefact.signature !== undefined) await writeSynced(join(folder, signatureFile), `${artefact.signature}\n`);
  await writeSynced(join(folder, artefactFiles.manifest), manifest);
  await syncFolder(folder);
}

/**
 * Folders that are missing from `root` on, for their owner alone: a model tells what its readings were like. What lies
 * above belongs to others too, such as the account of the embedded databases.
 */
async function makePrivate(root: string, folder: string): Promise<void> {
  await mkdir(dirname(root), { recursive: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

async function writeSynced(path: string, content: string | Uint8Array): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await file.writeFile(content);
  await file.sync();
}

/** Puts a signature beside an artefact that is there: its files stay, who answers for them is new. */
async function replace(folder: string, name: string, text: string): Promise<void> {
  const temporary = join(folder, `.${randomUUID()}`);
  try {
    await writeSynced(temporary, `${text}\n`);
    await rename(temporary, join(folder, name));
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw unavailable(folder, error);
  }
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

function unavailable(folder: string, error: unknown): AppError {
  const text = error instanceof Error ? error.message : String(error);
  return new AppError("storeUnavailable", `model folder ${folder}: ${text}`, { cause: error });
}
