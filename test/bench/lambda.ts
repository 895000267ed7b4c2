// npm run bench:lambda [-- --markdown] [--built]: the real bundles under AWS's runtime client, measured, and what they
// would cost; JSON, or the tables of docs/deploy.md; --built takes the bundles as they lie there. Wall times on a busy
// machine mean little; CPU times are steady.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadFleet } from "../../core/model/fleet/artefact.ts";
import type { ArtefactFiles } from "../../core/model/fleet/files.ts";
import { loadParts, savePack } from "../../core/model/fleet/pack.ts";
import { decodePart, encodePart, halvedTensors } from "../../core/model/fleet/part-file.ts";
import { addSeconds, floorToStep } from "../../core/time.ts";
import { folderFiles } from "../../functions/adapters/files.ts";
import { readFleetSensors } from "../../functions/adapters/fleet-folder.ts";
import { postgresRegistry } from "../../functions/adapters/postgres/registry/registry.ts";
import type { Bundle } from "../lambda/bundles.ts";
import { type Cloud, startCloud } from "../lambda/cloud.ts";
import { type Lambda, startLambda } from "../lambda/lambda.ts";
import { setup } from "../lambda/setup.ts";
import { eventOf } from "../sqs-events.ts";
import { assumptions, type Measured, prices, project } from "./costs.ts";

const flag = { type: "boolean", default: false } as const;
const { values } = parseArgs({ options: { markdown: flag, built: flag } });
const fleetSizes = [10, 1_000, 100_000, 1_000_000];
const { shardSize } = assumptions;
const [forecastShard, scoreShard] = [`forecast ${shardSize}`, `score ${shardSize}`];
const step = 600;
const day = 86_400;
const newest = floorToStep(new Date(), step);
const shippedFolder = join(import.meta.dirname, "../../models/pretrained");
/** Shards that an environment meets one after the other, until V8 has met all of its functions. */
const newShards = 6;
/** The shipped rooms, which are the panel, and copies of theirs. */
const shipped = await readFleetSensors(shippedFolder);
const copies = Array.from(
  { length: newShards * shardSize - shipped.length },
  (_, i) => `sensor-${String(i).padStart(4, "0")}`,
);
const sensorIds = [...shipped.map(({ sensorId }) => sensorId), ...copies];
const shards = Array.from({ length: newShards }, (_, i) => sensorIds.slice(i * shardSize, (i + 1) * shardSize));
const shard = shards[0]!;
/** What the aims speak of, beside the shards that are deployed. */
const hundreds = shards.slice(1, 3).map((ids) => ids.slice(0, 100));
/** As far as the network looks back, and a little more. */
const historyDays = 9;

type Sample = { wallMs: number; cpuMs: number };
type Result = { init: Sample; first: Sample; warm: Sample; runs: Sample[]; peakMb: number };

async function measure(start: () => Promise<Lambda>, events: unknown[]): Promise<Result> {
  const lambda = await start();
  const init = { wallMs: lambda.initMs, cpuMs: (await lambda.usage()).cpuMs };
  const runs: Sample[] = [];
  for (const event of events) runs.push(await invoke(lambda, event));
  const { peakBytes } = await lambda.usage();
  await lambda.kill();
  const peakMb = peakBytes / 2 ** 20;
  console.error(JSON.stringify({ init, runs, peakMb }, round));
  const rest = runs.slice(1);
  const warm = { wallMs: median(rest.map((one) => one.wallMs)), cpuMs: median(rest.map((one) => one.cpuMs)) };
  return { init, first: runs[0]!, warm, runs, peakMb };
}

/** The same with as warm what came after the first `fresh` runs. */
function repeated(result: Result, fresh: number): Result {
  const again = result.runs.slice(fresh);
  const warm = { wallMs: median(again.map(({ wallMs }) => wallMs)), cpuMs: median(again.map(({ cpuMs }) => cpuMs)) };
  return { ...result, warm };
}

async function invoke(lambda: Lambda, event: unknown): Promise<Sample> {
  const [cpu, wall] = [(await lambda.usage()).cpuMs, performance.now()];
  const answer = await lambda.invoke(event);
  if (!answer.ok) throw new Error(`${answer.error.errorMessage}\n${lambda.output()}`);
  const failed = (answer.result as { batchItemFailures?: unknown[] } | null)?.batchItemFailures ?? [];
  if (failed.length > 0) throw new Error(`the message comes back\n${lambda.output()}`);
  return { wallMs: performance.now() - wall, cpuMs: (await lambda.usage()).cpuMs - cpu };
}

function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

const message = (body: unknown) => eventOf([{ MessageId: "1", Body: JSON.stringify(body) }]);
/** A shard in the slot so many steps ago; the newest six are not expired. */
const shardEvent = (ids: string[], ago: number) =>
  message({ slot: addSeconds(newest, -step * ago).toISOString(), sensorIds: ids });

/** A predictor with the shipped version, and a part for every sensor: that of a room under its own name. */
async function furnish(cloud: Cloud) {
  const predictor = await cloud.createPredictor();
  const registry = postgresRegistry(predictor.db);
  const folder = folderFiles(shippedFolder);
  const prefix = `${new URL(cloud.bundles.forecast.environment.MODEL_STORE ?? "").host}/models`;
  const bucket: ArtefactFiles = {
    read: async (path) => cloud.s3.objects.get(`${prefix}/${path}`) ?? null,
    write: async (path, bytes) => void cloud.s3.objects.set(`${prefix}/${path}`, Buffer.from(bytes)),
  };
  const { fleetId, digest } = shipped[0]!.fleet!;
  const { manifest: version } = await loadFleet(folder, fleetId, digest);
  for (const name of ["fleet.onnx", "golden.safetensors", "manifest.json"]) {
    const path = `fleets/${fleetId}/${name}`;
    await bucket.write(path, (await folder.read(path))!);
  }
  await registry.registerFleet({ fleetId, digest, group: "", statusReason: "bench", now: newest });
  await registry.promoteFleet(fleetId, { kept: [], reason: "bench", now: newest });
  const places = shipped.map((room) => ({
    ...{ sensorId: room.sensorId, digest: room.modelSha256, pack: room.fleet!.pack },
  }));
  const bytesOf = await loadParts(folder, places);
  for (const ids of shards) {
    const made = ids.map((sensorId, i) => {
      const room = shipped[i % shipped.length]!;
      const part = decodePart(room.sensorId, bytesOf.get(room.modelSha256) as Uint8Array, version.graph);
      return { room, sensorId, bytes: encodePart({ ...part, sensorId }, version.graph, halvedTensors) };
    });
    const packed = await savePack(bucket, made);
    for (const [i, { room, sensorId }] of made.entries()) {
      const { pack, digest: modelSha256 } = packed[i]!;
      const fleet = { fleetId, digest, pack };
      const manifest = { ...room, sensorId, modelId: `${sensorId}-bench`, modelSha256, fleet };
      await registry.register({ manifest, digest: modelSha256, statusReason: "bench", now: newest });
      await registry.promote(manifest.modelId, "bench", newest);
    }
  }
  return predictor;
}

const emptyFolder = join(import.meta.dirname, "../lambda/runtime/bundles/empty");

async function emptyBundle(forecast: Bundle): Promise<Bundle> {
  await mkdir(emptyFolder, { recursive: true });
  await writeFile(join(emptyFolder, "bundle.mjs"), "export const handler = async () => ({});\n");
  return { ...forecast, folder: emptyFolder, environment: {} };
}

const page = {
  version: "2.0",
  rawPath: "/v1/sensors",
  rawQueryString: "limit=50",
  headers: { host: "bench", "accept-encoding": "gzip" },
  requestContext: { http: { method: "GET", path: "/v1/sensors" }, domainName: "bench", requestId: "1" },
  isBase64Encoded: false,
};

if (!values.built) await setup();
const cloud = await startCloud();
// A busy machine must not end what a quiet one would finish.
for (const bundle of Object.values(cloud.bundles)) bundle.timeoutSeconds = 1800;
try {
  await cloud.seed(sensorIds, newest, historyDays * day);
  await cloud.app.query("analyze sensor_readings");
  const { query, environment } = await furnish(cloud);
  const start = (name: "forecast" | "score" | "api") => () => cloud.start(name, environment);
  const empty = await emptyBundle(cloud.bundles.forecast);
  const results: Record<string, Result> = {
    empty: await measure(() => startLambda(empty, {}), Array(5).fill({})),
    "forecast 1": await measure(
      start("forecast"),
      [5, 3, 2, 1, 0].map((ago) => shardEvent(shards[1]!.slice(-1), ago)),
    ),
    "forecast 100": await measure(start("forecast"), [
      ...hundreds.map((ids) => shardEvent(ids, 5)),
      ...[3, 2, 1, 0].map((ago) => shardEvent(hundreds[0]!, ago)),
    ]),
    // The other shards meet an open graph without their parts; then the first again.
    [forecastShard]: await measure(start("forecast"), [
      ...shards.map((ids) => shardEvent(ids, 4)),
      ...[3, 2, 1, 0].map((ago) => shardEvent(shard, ago)),
    ]),
    [scoreShard]: await measure(
      start("score"),
      [3, 2, 1, 0].map((ago) => shardEvent(shard, ago)),
    ),
    api: await measure(start("api"), Array(5).fill(page)),
  };
  const outcomes = await query<{ status: string; text: string | null; count: number }>(
    `select status, min(reason_text) as text, count(*)::integer as count from outcome group by status`,
  );
  // What falls back to a baseline costs something else.
  const strange = outcomes.find(({ status }) => status !== "issued");
  if (strange) throw new Error(`${strange.count} outcomes are ${strange.status}: ${strange.text}`);
  const [bytes] = await query<{ perSensor: number }>(
    `select sum(pg_total_relation_size(relid))::float8 / (select nullif(count(*), 0) from issued where is_served) as "perSensor"
     from unnest(array['issued', 'issued_mix', 'outcome', 'score']) as t, pg_partition_tree(t::regclass)`,
  );

  const cpuOf = ({ cpuMs }: Sample) => cpuMs;
  const whole = results[forecastShard]!;
  const fresh = whole.runs.slice(0, newShards);
  const hundred = repeated(results["forecast 100"]!, hundreds.length);
  // One of the last that are new stands for all that follow: the median of three.
  const settled = median(fresh.slice(-3).map(cpuOf));
  const measured: Measured = {
    initCpuMs: whole.init.cpuMs,
    newCpuMs: [...fresh.slice(0, -3).map(cpuOf), settled],
    warmCpuMs: repeated(whole, newShards).warm.cpuMs,
    scoreCpuMs: results[scoreShard]!.warm.cpuMs,
    forecastBytes: bytes?.perSensor ?? 0,
  };
  const projections = fleetSizes.map((sensors) => project(sensors, measured));
  const bundles = Object.values(cloud.bundles).map(({ name, unzippedBytes, zippedBytes }) => ({
    ...{ name, unzippedBytes, zippedBytes },
  }));
  const aims = {
    coldToEmptyCpu:
      (hundred.init.cpuMs + hundred.first.cpuMs) / (results.empty!.init.cpuMs + results.empty!.first.cpuMs),
    warmCpuMs: hundred.warm.cpuMs,
    peakMb: hundred.peakMb,
  };
  if (values.markdown)
    console.log(
      `${tableOf(projections)}\n\n${tableOfResults({ ...results, "forecast 100": hundred, [forecastShard]: repeated(whole, newShards) })}`,
    );
  const all = { results, outcomes, aims, bundles, measured, prices, assumptions, projections };
  (values.markdown ? console.error : console.log)(JSON.stringify(all, round, 2));
} finally {
  await cloud.stop();
  await rm(emptyFolder, { recursive: true, force: true });
}

function tableOf(projections: ReturnType<typeof project>[]): string {
  const dollars = (value: number) => `$${value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(2)}`;
  const lines = projections.map((one) => {
    const { total, forecast, score, train, models, alerts, archive } = one.dollarsPerMonth;
    const cells = [forecast, score, train, models, alerts, archive, total].map(dollars);
    const count = one.sensors.toLocaleString("en");
    const gigabytes = Number(one.gigabytesPerMonth.toPrecision(2)).toLocaleString("en");
    return `| ${count} | ${dollars(one.dollarsPerCycle)} | ${cells.join(" | ")} | ${one.concurrency} | ${Number(one.cycleSeconds.toPrecision(2))} s | ${gigabytes} GB |`;
  });
  const head =
    "| sensors | a cycle | forecast | score | train | model reads | alerts | archive | a month, all | environments | cycle takes | new rows a month |";
  return [head, "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|", ...lines].join("\n");
}

function tableOfResults(results: Record<string, Result>): string {
  const lines = Object.entries(results).map(([name, { init, first, warm, peakMb }]) => {
    return `| ${[name, ...[init.cpuMs, first.cpuMs, warm.cpuMs].map(Math.round), `${Math.round(peakMb)} MB`].join(" | ")} |`;
  });
  return ["| | init | first invocation | warm | peak memory |", "|---|--:|--:|--:|--:|", ...lines].join("\n");
}

function round(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
