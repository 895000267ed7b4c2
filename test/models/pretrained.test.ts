import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FleetManifest } from "../../core/model/fleet/manifest.ts";
import { openFleetSession } from "../../functions/adapters/onnx-fleet-session.ts";

const folder = join(import.meta.dirname, "../../models/pretrained");

test("the demo's fleet has less than a megabyte, and answers its golden vectors", async () => {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)));
  const bytes = (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
  expect(bytes).toBeGreaterThan(500_000);
  expect(bytes).toBeLessThan(1_000_000);
  const [fleetId, ...more] = await readdir(join(folder, "fleets"));
  expect(more).toEqual([]);
  const read = async (name: string) => new Uint8Array(await readFile(join(folder, "fleets", fleetId!, name)));
  const manifest = FleetManifest.parse(JSON.parse(new TextDecoder().decode(await read("manifest.json"))));
  const session = await openFleetSession({ manifest, onnx: await read("fleet.onnx") });
  await session.answerGolden(await read("golden.safetensors"));
  await session.release();
});
