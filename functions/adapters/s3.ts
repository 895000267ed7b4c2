import {
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from "@aws-sdk/client-s3";
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

/** `endpoint` other than AWS's means path-style addresses, which every S3 stand-in understands. */
export type S3Options = {
  bucket: string;
  /** Empty for the bucket's root. */
  prefix: string;
  endpoint?: string | null;
  region?: string;
  credentials?: S3ClientConfig["credentials"];
  timeoutMs?: number;
  maximumAttempts?: number;
};

/**
 * Artefacts in a bucket. The manifest is written last and conditionally, and read first: without it there is no model,
 * so that an artefact is there whole or not at all. Retries with growing, jittered pauses; throws storeUnavailable
 * after that.
 */
export function s3Store(options: S3Options): ModelStore & { files: ArtefactFiles; close(): void } {
  const { bucket, prefix, endpoint, region, credentials, timeoutMs = 10_000, maximumAttempts = 4 } = options;
  const client = new S3Client({
    maxAttempts: maximumAttempts,
    requestHandler: {
      connectionTimeout: Math.min(3000, timeoutMs),
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: timeoutMs,
    },
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    ...(region ? { region } : {}),
    ...(credentials ? { credentials } : {}),
  });
  const root = prefix.replace(/^\/+|\/+$/g, "");
  const keyOf = (...names: string[]) => [root, ...names].filter(Boolean).join("/");
  const keyOfModel = (modelId: string, file: string) => keyOf(checkModelId(modelId), file);

  async function read(key: string): Promise<Uint8Array | null> {
    try {
      const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return Body ? await readBounded(key, Body.transformToWebStream(), ContentLength ?? 0) : null;
    } catch (error) {
      if (error instanceof AppError) throw error;
      if (error instanceof NoSuchKey || hasStatus(error, 404)) return null;
      throw unavailable(`s3://${bucket}/${key}`, error);
    }
  }

  /** False when the key exists already and only new keys are wanted. */
  async function write(key: string, body: Uint8Array, isNew: boolean): Promise<boolean> {
    const condition = isNew ? { IfNoneMatch: "*" } : {};
    try {
      await client.send(
        new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ChecksumAlgorithm: "SHA256", ...condition }),
      );
      return true;
    } catch (error) {
      // 409: another conditional write of the same key is under way.
      if (isNew && (hasStatus(error, 412) || hasStatus(error, 409))) return false;
      throw unavailable(`s3://${bucket}/${key}`, error);
    }
  }

  async function get(modelId: string): Promise<Artefact | null> {
    const readFile = (file: string) => read(keyOfModel(modelId, file));
    const manifest = await readFile(artefactFiles.manifest);
    if (manifest === null) return null;
    const names = [artefactFiles.onnx, artefactFiles.golden, signatureFile];
    const [onnx, golden, signature] = await Promise.all(names.map(readFile));
    if (!onnx || !golden) {
      throw new AppError("artefactRejected", `${modelId}: its manifest is there, its other files are not`);
    }
    const text = new TextDecoder();
    return parseArtefact(modelId, {
      ...{ onnx, manifest: text.decode(manifest), golden: text.decode(golden) },
      signature: signature ? text.decode(signature) : null,
    });
  }

  return {
    get,
    async put(artefact) {
      const { modelId } = artefact.manifest;
      const known = await get(modelId);
      const text = new TextEncoder();
      const { signature } = artefact;
      const sign = async () => {
        if (signature === undefined || signature === known?.signature) return;
        await write(keyOfModel(modelId, signatureFile), text.encode(`${signature}\n`), false);
      };
      if (known) {
        await checkSame(known, artefact);
        return sign();
      }
      const { manifest, golden } = printArtefact(artefact);
      // Without a manifest they belong to nobody: left by a writer that died, they may be replaced.
      const key = (file: string) => keyOfModel(modelId, file);
      await write(key(artefactFiles.onnx), artefact.onnx, false);
      await write(key(artefactFiles.golden), text.encode(golden), false);
      await sign();
      if (await write(key(artefactFiles.manifest), text.encode(manifest), true)) return;
      const winner = await get(modelId);
      if (!winner) throw unavailable(`s3://${bucket}/${modelId}`, new Error("somebody else is writing it"));
      await checkSame(winner, artefact);
    },
    files: {
      read: async (path) => read(keyOf(...checkPath(path))),
      async write(path, bytes) {
        const key = keyOf(...checkPath(path));
        if (await write(key, bytes, true)) return;
        const known = await read(key);
        if (!known) throw unavailable(`s3://${bucket}/${key}`, new Error("somebody else is writing it"));
        checkSameBytes(path, known, bytes);
      },
    },
    close: () => client.destroy(),
  };
}

/** The body, unless it says or turns out to be larger than a file of its name may be: the rest is not fetched then. */
async function readBounded(key: string, body: ReadableStream<Uint8Array>, length: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let read = 0;
  const reader = body.getReader();
  try {
    for (checkSize(key, length); ; checkSize(key, read)) {
      const { done, value } = await reader.read();
      if (done) return new Uint8Array(Buffer.concat(chunks, read));
      chunks.push(value);
      read += value.length;
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    throw error;
  }
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === status;
}

function unavailable(what: string, error: unknown): AppError {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new AppError("storeUnavailable", `${what}: ${text}`, { cause: error });
}
