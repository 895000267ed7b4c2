import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toGrid } from "../../../core/data/grid.ts";
import { folderStore } from "../../../functions/adapters/files.ts";
import { memoryFiles } from "../../../functions/adapters/memory-store.ts";
import { onnxInference } from "../../../functions/adapters/onnx.ts";
import { runModels } from "../../../functions/commands/models.ts";
import { gridSha256 } from "../../../models/receipt.ts";
import { artefactOf } from "../../artefacts.ts";
import { fleetOf, humidity, manifestOf, readingsOf, someSlot, temperature, wave } from "../../builders.ts";
import { memoryAudit } from "../../fakes/audit.ts";
import { testClock } from "../../fakes/clock.ts";
import { memoryFollower } from "../../fakes/follower.ts";
import { noFleets } from "../../fakes/inference.ts";
import { quietLog } from "../../fakes/log.ts";
import { memoryRegistry } from "../../fakes/registry.ts";
import { noTrust } from "../../fakes/trust.ts";

const readings = readingsOf({ temperature: wave(300), humidity: wave(300, { mean: 45 }) });
const from = new Date(someSlot.getTime() - 199 * 600_000);
const grid = toGrid(readings, [temperature, humidity], 600, { from, upTo: someSlot });
const training = {
  ...manifestOf().training,
  from: from.toISOString(),
  to: someSlot.toISOString(),
  dataSha256: await gridSha256(grid),
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "models-command-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function world() {
  const store = folderStore(join(folder, "store"));
  const log = quietLog();
  const registry = memoryRegistry();
  const follower = memoryFollower(new Map([["a", readings]]));
  const ports = {
    clock: testClock(someSlot),
    log,
    follower,
    registry,
    store,
    inference: onnxInference({ store, log }),
    audit: memoryAudit(),
    fleetInference: noFleets(),
    fleetFiles: memoryFiles(),
    trust: noTrust(),
  };
  return { ports, run: (...args: string[]) => runModels(ports, fleetOf(), "ada", args) };
}

/** A folder as somebody else might have made it. */
async function elsewhere(modelId: string, seed = 1): Promise<string> {
  await folderStore(join(folder, "elsewhere")).put(await artefactOf({ modelId, training }, seed));
  return join(folder, "elsewhere", modelId);
}

test("imports, verifies, promotes, lists, shows and rolls back", async () => {
  const { ports, run } = world();
  await run("import", await elsewhere("first"));
  expect(await run("list")).toMatch(/first .*challenger/);
  expect(await run("verify", "first")).not.toMatch(/FAILED| - /);
  await run("promote", "first", "--reason", "by hand");
  await run("import", await elsewhere("second", 2));
  ports.clock.advance(60);
  await run("promote", "second", "--reason", "newer");
  expect(await run("list", "--status", "champion")).toMatch(/second/);
  expect(await run("rollback", "a", "--reason", "it forecast nonsense")).toBe("first is champion again");
  const shown = await run("show", "first");
  for (const fact of ["champion: it forecast nonsense", training.dataSha256, "600 s, 48, 1-24", "temperature °C"]) {
    expect(shown).toContain(fact);
  }
});

test("verify finds changed bytes, and data that is not what the model was trained on", async () => {
  const { ports, run } = world();
  await run("import", await elsewhere("first"));
  const moved = Float64Array.from(readings.values.temperature!, (value, i) => (i === 250 ? value + 1 : value));
  const changed = { ...readings, values: { ...readings.values, temperature: moved } };
  const { follower } = ports;
  ports.follower = memoryFollower(new Map([["a", changed]]));
  await expect(run("verify", "first")).rejects.toThrow(/training data .*FAILED/);
  ports.follower = memoryFollower(new Map());
  expect(await run("verify", "first")).toMatch(/training data .*no readings of a/);
  ports.follower = follower;
  const file = join(folder, "store", "first", "model.onnx");
  const bytes = await readFile(file);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(file, bytes);
  await expect(run("verify", "first")).rejects.toThrow(/registered sha256 .*FAILED[\s\S]*first is refused/);
  await expect(run("promote", "first", "--reason", "x")).rejects.toThrow(/digest/);
});

test.each([
  [
    "a model that does not answer its golden vector",
    "golden.json",
    (text: string) => text.replace(/"quantiles":\[[-\d.]+/, '"quantiles":[99'),
    /missed by/,
  ],
  [
    "a manifest that does not parse",
    "manifest.json",
    (text: string) => text.replace('"horizon": 24', '"horizon": "many"'),
    /manifest\.json[\s\S]*horizon/,
  ],
  [
    "bytes with another hash",
    "manifest.json",
    (text: string) => text.replace(/"modelSha256": "./, (hit) => `${hit.slice(0, -1)}${hit.endsWith("0") ? "1" : "0"}`),
    /sha256/,
  ],
  [
    "another step",
    "manifest.json",
    (text: string) => text.replace('"stepSeconds": 600', '"stepSeconds": 60'),
    /steps of 60 s/,
  ],
])("import refuses %s, and nothing is kept of it", async (_, file, spoil, reason) => {
  const { ports, run } = world();
  const made = await elsewhere("spoilt");
  await writeFile(join(made, file), spoil(await readFile(join(made, file), "utf8")));
  await expect(run("import", made)).rejects.toThrow(reason);
  expect(ports.registry.models.size).toBe(0);
  expect(await ports.store.get("spoilt")).toBeNull();
});

test("says what is missing or wrong in the command", async () => {
  const { run } = world();
  await expect(run()).rejects.toThrow(/npm run models -- list/);
  await expect(run("show", "nothing")).rejects.toThrow(/nothing is not registered/);
  await expect(run("promote", "x", "--reason", "y")).rejects.toThrow(/x is not registered/);
  await expect(run("rollback", "a")).rejects.toThrow(/--reason is missing/);
  await expect(run("import", folder)).rejects.toThrow(/lacks model\.onnx/);
  await expect(run("list", "--status", "king")).rejects.toThrow(/status/);
  expect(await run("list")).toMatch(/No models yet/);
});

test("what changes a model is audited in the name of who did it, also where it is refused", async () => {
  const { ports, run } = world();
  await run("import", await elsewhere("first"));
  await run("promote", "first", "--reason", "by hand");
  await expect(run("rollback", "a", "--reason", "none before")).rejects.toThrow(/no earlier champion/);
  await expect(run("promote", "nothing", "--reason", "x")).rejects.toThrow(/not registered/);
  await run("list");
  await run("show", "first");
  const acts = ports.audit.entries.map(({ action, object, result, ...who }) => [action, object, result, who.actorId]);
  expect(acts).toEqual([
    ["model.import", "models/first", "ok", "ada"],
    ["model.promote", "models/first", "ok", "ada"],
    ["sensor.rollback", "sensors/a", "notFound", "ada"],
    ["model.promote", "models/nothing", "notFound", "ada"],
  ]);
  expect(ports.audit.entries.every(({ actorKind }) => actorKind === "command")).toBe(true);
});
