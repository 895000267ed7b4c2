import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { AppError } from "../../core/errors.ts";
import type { BackupFiles } from "../../core/operations/backup/ports.ts";
import type { S3Options } from "./s3.ts";

/** Backups and archives in a bucket, whose own rules remove the old ones. Throws storeUnavailable after retries. */
export function s3BackupFiles({
  bucket,
  prefix,
  endpoint,
  region,
  credentials,
  timeoutMs = 60_000,
}: S3Options): BackupFiles {
  const client = new S3Client({
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 3000, requestTimeout: timeoutMs, throwOnRequestTimeout: true },
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    ...(region ? { region } : {}),
    ...(credentials ? { credentials } : {}),
  });
  const root = prefix.replace(/^\/+|\/+$/g, "");
  const keyOf = (path: string) => [root, path].filter(Boolean).join("/");
  const place = `s3://${[bucket, root].filter(Boolean).join("/")}`;
  const guarded = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new AppError("storeUnavailable", `${place}/${path}: ${text}`, { cause: error });
    }
  };
  return {
    place,

    read: (path) =>
      guarded(path, async () => {
        try {
          const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(path) }));
          return (await Body?.transformToByteArray()) ?? null;
        } catch (error) {
          if (error instanceof NoSuchKey) return null;
          throw error;
        }
      }),

    write: (path, bytes) =>
      guarded(path, async () => {
        const checksum = { ChecksumAlgorithm: "SHA256" } as const;
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: keyOf(path), Body: bytes, ...checksum }));
      }),

    list: (from) =>
      guarded(from, async () => {
        const paths: string[] = [];
        let token: string | undefined;
        do {
          const more = token === undefined ? {} : { ContinuationToken: token };
          const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: keyOf(from), ...more }));
          const skip = root ? root.length + 1 : 0;
          for (const { Key } of page.Contents ?? []) if (Key) paths.push(Key.slice(skip));
          token = page.NextContinuationToken;
        } while (token !== undefined);
        return paths.sort();
      }),

    remove: null,
  };
}
