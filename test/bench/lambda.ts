// npm run bench:lambda [-- --markdown]: the real bundles under AWS's runtime client, measured, and what they would
// cost; JSON, or the README's table. Wall times on a busy machine mean little; CPU times are steady.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { printArtefact } from "../../core/model/artefact-digest.ts";
import { addSeconds, floorToStep } from "../../core/time.ts";
import { artefactFiles, parseArtefact } from "../../functions/adapters/artefact-files.ts";
import type { Bundle } from "../lambda/bundles.ts";
import { type Cloud, startCloud } from "../lambda/cloud.ts";
import { type Lambda, startLambda } from "../lambda/lambda.ts";
import { setup } from "../lambda/setup.ts";
import { eventOf } from "../sqs-events.ts";
import { assumptions, type Measured, prices, project } from "./costs.ts";

const { values } = parseArgs({ options: { markdown: { type: "boolean", default: false } } });
const fleetSizes = [10, 1_000, 100_000, 1_000_000];
const shardSizes = [1, 100, 1_000];
const invocations = 5;
const step = 600;
const newest = floorToStep(new Date(), step);
const sensorIds = Array.from({ length: 1_000 }, (_, i) => `sensor-${i}`);

type Sample = { wallMs: number; cpuMs: number };
type Result = { init: Sample; first: Sample; warm: Sample; peakMb: number };

async function measure(start: () => Promise<Lambda>, event: (run: number) => unknown): Promise<Result> {
  const lambda = await start();
  const cpuAt = async () => (await lambda.usage()).cpuMs;
  const init = { wallMs: lambda.initMs, cpuMs: await cpuAt() };
  const runs: Sample[] = [];
  for (let run = 0; run < invocations; run++) {
    const [cpu, wall] = [await cpuAt(), performance.now()];
    const answer = await lambda.invoke(event(run));
    if (!answer.ok) throw new Error(`${answer.error.errorMessage}\n${lambda.output()}`);
    runs.push({ wallMs: performance.now() - wall, cpuMs: (await cpuAt()) - cpu });
  }
  const { peakBytes } = await lambda.usage();
  await lambda.kill();
  console.error(JSON.stringify({ init, runs, peakMb: peakBytes / 2 ** 20 }, round));
  const warm = {
    wallMs: median(runs.slice(1).map((one) => one.wallMs)),
    cpuMs: median(runs.slice(1).map((one) => one.cpuMs)),
  };
  return { init, first: runs[0]!, warm, peakMb: peakBytes / 2 ** 20 };
}

function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** A shard of the first `size` sensors, in another slot each time: the newest six are not expired. */
const shardEvent = (size: number) => (run: number) => {
  const slot = addSeconds(newest, -step * (invocations - 1 - run)).toISOString();
  return eventOf([{ MessageId: "1", Body: JSON.stringify({ slot, sensorIds: sensorIds.slice(0, size) }) }]);
};

/** Trains one model by the train function itself, and gives every sensor of the fleet a copy under its own name. */
async function trainFleet(
  cloud: Cloud,
): Promise<{ cpuMs: number; wallMs: number; peakMb: number; models: ModelRow[] }> {
  const { environment, query } = await cloud.createPredictor();
  const train = await cloud.start("train", environment);
  const before = (await train.usage()).cpuMs;
  const startedAt = performance.now();
  const body = JSON.stringify({ sensorId: "trained", reason: "requested", slot: newest.toISOString() });
  const answer = await train.invoke(eventOf([{ MessageId: "1", Body: body }]));
  const wallMs = performance.now() - startedAt;
  const { cpuMs, peakBytes } = await train.usage();
  const [model] = await query<{ model_id: string }>("select model_id from model");
  if (!model) throw new Error(`nothing trained: ${JSON.stringify(answer)}\n${train.output()}`);
  await train.kill();

  const bucket = new URL(cloud.bundles.train.environment.MODEL_STORE ?? "").host;
  const key = (modelId: string, file: string) => `${bucket}/models/${modelId}/${file}`;
  const file = (name: string) => cloud.s3.objects.get(key(model.model_id, name)) ?? Buffer.alloc(0);
  const artefact = parseArtefact(model.model_id, {
    onnx: file(artefactFiles.onnx),
    manifest: file(artefactFiles.manifest).toString(),
    golden: file(artefactFiles.golden).toString(),
    signature: null,
  });
  const models = sensorIds.map((sensorId) => {
    const manifest = { ...artefact.manifest, sensorId, modelId: `${sensorId}-1` };
    const printed = printArtefact({ ...artefact, manifest });
    cloud.s3.objects.set(key(manifest.modelId, artefactFiles.onnx), file(artefactFiles.onnx));
    cloud.s3.objects.set(key(manifest.modelId, artefactFiles.manifest), Buffer.from(printed.manifest));
    cloud.s3.objects.set(key(manifest.modelId, artefactFiles.golden), Buffer.from(printed.golden));
    return { modelId: manifest.modelId, sensorId, manifest: JSON.stringify(manifest), sha256: manifest.modelSha256 };
  });
  return { cpuMs: cpuMs - before, wallMs, peakMb: peakBytes / 2 ** 20, models };
}

type ModelRow = { modelId: string; sensorId: string; manifest: string; sha256: string };

async function createServed(cloud: Cloud, models: ModelRow[]) {
  const predictor = await cloud.createPredictor();
  await predictor.query(
    `insert into model (model_id, sensor_id, status, status_reason, manifest, model_sha256, created_at, promoted_at)
     select m->>'modelId', m->>'sensorId', 'champion', 'bench', (m->>'manifest')::jsonb, m->>'sha256', now(), now()
     from jsonb_array_elements($1::jsonb) as m`,
    [JSON.stringify(models)],
  );
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

await setup();
const cloud = await startCloud();
// A busy machine must not end what a quiet one would finish.
for (const bundle of Object.values(cloud.bundles)) bundle.timeoutSeconds = 900;
try {
  await cloud.seed(sensorIds, newest, 9 * 86_400);
  await cloud.seed(["trained"], newest, 60 * 86_400);
  await cloud.app.query("analyze sensor_readings");
  const training = await trainFleet(cloud);
  const empty = await emptyBundle(cloud.bundles.forecast);
  const results: Record<string, Result> = {
    empty: await measure(
      () => startLambda(empty, {}),
      () => ({}),
    ),
  };
  let served = await createServed(cloud, training.models);
  for (const size of shardSizes) {
    served = await createServed(cloud, training.models);
    const { environment } = served;
    results[`forecast ${size}`] = await measure(() => cloud.start("forecast", environment), shardEvent(size));
  }
  const { environment } = served;
  const [bytes] = await served.query<{ perSensor: number }>(
    `select sum(pg_total_relation_size(relid))::float8 / (select nullif(count(*), 0) from issued where is_served) as "perSensor"
     from unnest(array['issued', 'issued_mix']) as t, pg_partition_tree(t::regclass)`,
  );
  results["score 100"] = await measure(() => cloud.start("score", environment), shardEvent(100));
  await served.query("insert into sensor select distinct sensor_id, now() from forecast on conflict do nothing");
  results.api = await measure(
    () => cloud.start("api", environment),
    () => page,
  );

  const hundred = results["forecast 100"]!;
  const measured: Measured = {
    initCpuMs: hundred.init.cpuMs,
    coldCpuMs: hundred.first.cpuMs,
    warmCpuMs: hundred.warm.cpuMs,
    scoreCpuMs: results["score 100"].first.cpuMs,
    trainCpuMs: training.cpuMs,
    forecastBytes: bytes?.perSensor ?? 0,
  };
  const projections = fleetSizes.map((sensors) => project(sensors, measured));
  const bundles = Object.values(cloud.bundles).map(({ name, unzippedBytes, zippedBytes }) => ({
    name,
    unzippedBytes,
    zippedBytes,
  }));
  const { models: _, ...train } = training;
  const aims = {
    coldToEmpty:
      (hundred.init.wallMs + hundred.first.wallMs) / (results.empty!.init.wallMs + results.empty!.first.wallMs),
    coldToEmptyCpu:
      (hundred.init.cpuMs + hundred.first.cpuMs) / (results.empty!.init.cpuMs + results.empty!.first.cpuMs),
    warmCpuMs: hundred.warm.cpuMs,
    peakMb: hundred.peakMb,
  };
  if (values.markdown) console.log(tableOf(projections));
  else
    console.log(
      JSON.stringify({ results, train, aims, bundles, measured, prices, assumptions, projections }, round, 2),
    );
} finally {
  await cloud.stop();
  await rm(emptyFolder, { recursive: true, force: true });
}

function tableOf(projections: ReturnType<typeof project>[]): string {
  const dollars = (value: number) => `$${value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(2)}`;
  const lines = projections.map((one) => {
    const { total, forecast, score, train, models } = one.dollarsPerMonth;
    const cells = [forecast, score, train, models, total].map(dollars);
    const count = one.sensors.toLocaleString("en");
    const gigabytes = one.gigabytesPerMonth.toPrecision(2);
    return `| ${count} | ${dollars(one.dollarsPerCycle)} | ${cells.join(" | ")} | ${one.concurrency} | ${Number(one.cycleSeconds.toPrecision(2))} s | ${gigabytes} GB |`;
  });
  const head =
    "| sensors | a cycle | forecast | score | train | model reads | a month, all | environments | cycle takes | new rows a month |";
  return [head, "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|", ...lines].join("\n");
}

function round(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
