import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe } from "vitest";
import { folderFiles, folderStore } from "../../functions/adapters/files.ts";
import { memoryFiles, memoryStore } from "../../functions/adapters/memory-store.ts";
import { s3Store } from "../../functions/adapters/s3.ts";
import { startS3 } from "../s3.ts";
import { filesContract, storeContract } from "./store.ts";

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), "store-"));
  opened.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function openBucket() {
  const { endpoint, close } = await startS3();
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const store = s3Store({ bucket: "models", prefix: "v1", endpoint, region: "eu-central-1", credentials });
  opened.push(() => store.close(), close);
  return store;
}

describe("stores", () => {
  storeContract("memory", async () => memoryStore());
  storeContract("folder", async () => folderStore(await openFolder()));
  storeContract("bucket", openBucket);
  filesContract("memory", async () => memoryFiles());
  filesContract("folder", async () => folderFiles(await openFolder()));
  filesContract("bucket", async () => (await openBucket()).files);
});
