// npm run bench:inference [-- --sensors 1000 --shard 100]: what a forecast costs by the fleet's graph, beside a session
// for each sensor, as JSON. CPU times of this process; the store is memory, so that neither network nor disk is in
// them.
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { saveFleet } from "../../core/model/fleet/artefact.ts";
import type { FleetRow } from "../../core/model/fleet/golden.ts";
import { type PartPlace, savePack } from "../../core/model/fleet/pack.ts";
import { encodePart, halvedTensors } from "../../core/model/fleet/part-file.ts";
import { memoryFiles } from "../../functions/adapters/memory-store.ts";
import { fleetInference } from "../../functions/adapters/onnx-fleet.ts";
import { fleetOf, partOf } from "../fleets.ts";
import { startPerSensor } from "./inference-sessions.ts";

const { values } = parseArgs({
  options: { sensors: { type: "string", default: "1000" }, shard: { type: "string", default: "100" } },
});
const [sensors, shard] = [Number(values.sensors), Number(values.shard)];
const log = { info: () => {}, warn: () => {}, error: () => {} };
const rounds = 5;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const round = (value: number) => Number(value.toPrecision(3));

/** CPU milliseconds of `work`. */
async function cpuOf(work: () => Promise<void>): Promise<number> {
  const from = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e3;
}

/** Bytes of this process's memory, after what is not used is gone. */
function residentBytes(): number {
  collect();
  collect();
  return process.memoryUsage.rss();
}

/** Cold and warm passes over all sensors, in shards; what they leave in memory. */
async function measure(forecast: (from: number, to: number) => Promise<void>, count: number) {
  const pass = async () => {
    for (let from = 0; from < count; from += shard) await forecast(from, Math.min(count, from + shard));
  };
  const before = residentBytes();
  const coldMs = (await cpuOf(pass)) / count;
  const memoryBytes = (residentBytes() - before) / count;
  const warm: number[] = [];
  for (let i = 0; i < rounds; i++) warm.push((await cpuOf(pass)) / count);
  return {
    coldCpuMsPerSensor: round(coldMs),
    warmCpuMsPerSensor: round(Math.min(...warm)),
    residentBytesPerSensor: Math.round(memoryBytes),
  };
}

/** Version and parts in a store, a pack a shard. */
async function storeFleet() {
  const files = memoryFiles();
  const { artefact, graph, rowOf, parts } = await fleetOf(["golden"]);
  await saveFleet(files, artefact);
  const places: PartPlace[] = [];
  let partBytes = 0;
  for (let from = 0; from < sensors; from += shard) {
    const stored = Array.from({ length: Math.min(shard, sensors - from) }, (_, i) => {
      const sensorId = `sensor ${from + i}`;
      return { sensorId, bytes: encodePart(partOf(sensorId, from + i), graph, halvedTensors) };
    });
    partBytes = stored[0]!.bytes.length;
    places.push(...(await savePack(files, stored)));
  }
  return { files, artefact, graph, places, partBytes, row: rowOf(parts[0]!, 1) };
}

const fleet = await storeFleet();
const version = { fleetId: fleet.artefact.manifest.fleetId, digest: fleet.artefact.digest };
const inference = fleetInference({ files: fleet.files, log }, { maximumParts: sensors });
async function forecastShard(from: number, to: number): Promise<void> {
  const places = fleet.places.slice(from, to);
  const parts = await inference.parts(fleet.graph, places);
  const rows = places.map(({ sensorId }): FleetRow => {
    const part = parts.get(sensorId);
    if (!part || part instanceof Error) throw part ?? new Error(`no part of ${sensorId}`);
    return { ...fleet.row, part };
  });
  const answers = await inference.run(version, rows);
  const failed = answers.find((answer) => !answer.ok);
  if (failed) throw new Error(`${failed.ok || failed.message}`);
}
const beforeOpening = residentBytes();
const openingMs = await cpuOf(async () => {
  const [answer] = await inference.run(version, [fleet.row]);
  if (!answer?.ok) throw new Error(answer?.message);
});
const openingBytes = residentBytes() - beforeOpening;
const byFleet = await measure(forecastShard, sensors);
inference.close();

// Two megabytes each: some will do.
const sessions = Math.min(sensors, 100);
const perSensor = await startPerSensor(sessions);
const bySessions = await measure(perSensor.forecast, sessions);
await perSensor.close();

const report = {
  ...{ sensors, shard, node: process.version },
  fleet: {
    // The graph is opened once: its share is in the cold figure.
    ...byFleet,
    coldCpuMsPerSensor: round(byFleet.coldCpuMsPerSensor + openingMs / sensors),
    opening: { cpuMs: round(openingMs), residentBytes: openingBytes },
    graphBytes: fleet.artefact.onnx.length,
    partBytes: fleet.partBytes,
  },
  perSensor: { sensors: sessions, ...bySessions, modelBytes: perSensor.modelBytes },
};
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
