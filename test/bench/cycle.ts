import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { SQSEvent } from "aws-lambda";
import type { ForecastPorts } from "../../core/operations/forecast.ts";
import type { Ports } from "../../core/ports.ts";
import { addSeconds } from "../../core/time.ts";
import { onnxInference } from "../../functions/adapters/onnx.ts";
import { postgresFollower } from "../../functions/adapters/postgres/follower.ts";
import { migrate } from "../../functions/adapters/postgres/migrate.ts";
import { type Database, openDatabase } from "../../functions/adapters/postgres/pool.ts";
import { postgresRegistry } from "../../functions/adapters/postgres/registry.ts";
import type { PredictorSchema } from "../../functions/adapters/postgres/schema.ts";
import { readConfig } from "../../functions/config/environment.ts";
import { settingsOf } from "../../functions/config/settings.ts";
import { parseSource, targetsOf } from "../../functions/config/source.ts";
import { createForecastHandler } from "../../functions/forecast.ts";
import { startEmbedded } from "../../functions/machine/embedded/cluster.ts";
import { waitForFollower } from "../../functions/machine/embedded/prepare.ts";
import { predictorPorts } from "../../functions/runtime/predictor.ts";
import { createScoreHandler } from "../../functions/score.ts";
import { artefactOf } from "../artefacts.ts";
import { testClock } from "../fakes/clock.ts";
import { sqsEvent } from "../fakes/lambda.ts";
import { quietLog } from "../fakes/log.ts";
import { noFleets } from "../fakes/ports.ts";
import { runSql, wideTable } from "../source-table.ts";
import { enlist } from "./cycle/models.ts";
import { fillNaive, openNaive } from "./cycle/naive.ts";
import { median, round, summary } from "./cycle/report.ts";
import { type Measured, stagesOf } from "./cycle/stages.ts";

/*
 * One forecast cycle over a synthetic fleet: eight days of ten-minute readings a sensor on a streaming standby, a model
 * of its own for every sensor, everything durable. Beside it, in the same run, the naive way over a part of the fleet.
 * JSON.
 */

const { values } = parseArgs({
  options: {
    sensors: { type: "string", default: "1000" },
    shard: { type: "string", default: "100" },
    naive: { type: "string", default: "100" },
    cycles: { type: "string", default: "3" },
    origins: { type: "string", default: "28" },
  },
});
const sensors = Number(values.sensors);
const shard = Number(values.shard);
const naiveSensors = Math.min(sensors, Number(values.naive));
const cycles = Number(values.cycles);
/**
 * Forecasts that are stored, and scored, before it is measured: as many as have a lead at each moment, and a few more.
 */
const origins = Number(values.origins);
const lastSlot = new Date("2026-03-01T12:00:00Z");

const say = (text: string) => process.stderr.write(`${text}\n`);
const ids = Array.from({ length: sensors }, (_, index) => String(index + 1));
const folder = await mkdtemp(join(tmpdir(), "iot-lstm-bench-"));
const log = quietLog();
const embedded = await startEmbedded({ dataDir: folder, needs: { follower: true, predictor: true }, log });
try {
  const [mainUrl, followerUrl, predictorUrl] = [embedded.mainUrl!, embedded.followerUrl!, embedded.predictorUrl!];
  say(`${sensors} sensors: writing ${sensors * 8 * 144} readings`);
  await runSql(mainUrl, ...wideTable({ sensors, days: 8, endAt: lastSlot }));
  await waitForFollower(mainUrl, followerUrl, 120_000);

  const follower = openDatabase<unknown>({ url: followerUrl, side: "follower", max: 2 });
  const predictor = openDatabase<PredictorSchema>({ url: predictorUrl, side: "predictor", max: 2 });
  await migrate(predictor.db);
  const source = parseSource({ table: "sensor_readings" });
  const settings = settingsOf(readConfig({}), targetsOf([source]));
  const artefact = await artefactOf({ targets: settings.fleet.targets });
  const registry = postgresRegistry(predictor.db);
  const { store, models } = await enlist(registry, artefact, ids, lastSlot);
  say(`every sensor has a copy of ${artefact.manifest.modelId}, ${artefact.onnx.length} bytes`);

  const clock = testClock(addSeconds(lastSlot, 60));
  const inference = onnxInference({ store, log }, { maximumSessions: sensors });
  const ports: ForecastPorts & Pick<Ports, "scores"> = {
    clock,
    log,
    inference,
    fleetInference: noFleets(),
    follower: postgresFollower(follower, source, clock),
    ...predictorPorts(predictor),
  };
  const stages = stagesOf(ports, () => Object.values(embedded.pids()));
  const handle = createForecastHandler(stages.ports, settings.forecast);

  const scoreAll = createScoreHandler(ports, settings.score);
  const pass = async (slot: Date) => {
    clock.set(addSeconds(slot, 60));
    await run(handle, batch(slot, shard));
    await stages.score(() => run(scoreAll, batch(slot, shard)));
  };
  const cold = await stages.measure(() => pass(slotAt(cycles + origins)));
  for (let cycle = cycles + origins - 1; cycle >= cycles; cycle--) await pass(slotAt(cycle));
  const sizeBefore = await measureBytes(predictor);
  const warm: Measured[] = [];
  for (let cycle = cycles - 1; cycle >= 0; cycle--) warm.push(await stages.measure(() => pass(slotAt(cycle))));
  const size = await measureBytes(predictor);
  const perDay = (bytes: number) => Math.round(((bytes / sensors) * 144) / cycles);
  const tables: Record<string, number> = Object.fromEntries(
    [...size]
      .map(([table, bytes]) => [table, perDay(bytes - (sizeBefore.get(table) ?? 0))])
      .filter(([, bytes]) => bytes),
  );
  const naive = await openNaive({ ports, follower, predictor, models });
  await fillNaive(predictor, ids.slice(0, naiveSensors), lastSlot);
  const naiveStages = stagesOf(naive.ports, () => Object.values(embedded.pids()));
  const handleNaively = createForecastHandler(naiveStages.ports, settings.forecast);
  const naiveMessages = ids.slice(0, naiveSensors).map((id) => ({ slot: lastSlot.toISOString(), sensorIds: [id] }));
  const slow = await naiveStages.measure(async () => {
    await run(handleNaively, sqsEvent(naiveMessages));
    await naiveStages.score(() => naive.score(ids.slice(0, naiveSensors), slotAt(1)));
  });

  const ours = summary(median(warm), sensors);
  const theirs = summary(slow, naiveSensors);
  const ratio = (name: "wallMsPerSensor" | "cpuMsPerSensor") => round(theirs[name] / ours[name]);
  const [bottleneck] = Object.entries(ours.stages).sort(([, a], [, b]) => b.wallMs - a.wallMs)[0] ?? [];
  const report = {
    sensors,
    shardSize: shard,
    model: {
      bytes: artefact.onnx.length,
      contextLength: artefact.manifest.contextLength,
      leads: settings.fleet.leads.length,
    },
    outcomes: await countOutcomes(predictor),
    /**
     * What a sensor and day adds, with indices and before retention; `mixBytesPerSensorDay` goes two days after it
     * matured.
     */
    bytesPerSensorDay: Object.values(tables).reduce((sum, bytes) => sum + bytes, 0) - (tables.issued_mix ?? 0),
    mixBytesPerSensorDay: tables.issued_mix ?? 0,
    bytesPerTableSensorDay: tables,
    ours,
    cold: summary(cold, sensors),
    naive: theirs,
    timesNaive: { wall: ratio("wallMsPerSensor"), cpu: ratio("cpuMsPerSensor") },
    bottleneck,
    machine: { cores: availableParallelism(), cpu: cpus()[0]?.model, node: process.version },
  };
  console.log(JSON.stringify(report, null, 2));
  await inference.close();
  await Promise.all([follower.close(), predictor.close()]);
} finally {
  await embedded.stop();
  await rm(folder, { recursive: true, force: true });
}

function slotAt(stepsBack: number): Date {
  return addSeconds(lastSlot, -600 * stepsBack);
}

function batch(slot: Date, size: number): SQSEvent {
  const shards = Array.from({ length: Math.ceil(sensors / size) }, (_, index) =>
    ids.slice(index * size, (index + 1) * size),
  );
  return sqsEvent(shards.map((sensorIds) => ({ slot: slot.toISOString(), sensorIds })));
}

async function run(handle: ReturnType<typeof createForecastHandler>, event: SQSEvent): Promise<void> {
  const { batchItemFailures } = await handle(event);
  if (batchItemFailures.length > 0)
    throw new Error(`${batchItemFailures.length} messages failed: ${JSON.stringify(log.lines.at(-1))}`);
}

/** Bytes of each table with its indices; days under the name of their table. */
async function measureBytes(database: Database<PredictorSchema>): Promise<Map<string, number>> {
  const rows = await database.query<{ name: string; bytes: number }>(
    `select regexp_replace(relname, '_\\d{8}$', '') as name, sum(pg_total_relation_size(oid))::float8 as bytes from pg_class
     where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not like 'naive%' group by 1`,
  );
  return new Map(rows.map(({ name, bytes }) => [name, bytes]));
}

async function countOutcomes(database: Database<PredictorSchema>): Promise<Record<string, number>> {
  const rows = await database.query<{ status: string; n: number }>(
    "select status, count(*) as n from outcome group by 1",
  );
  return Object.fromEntries(rows.map((row) => [row.status, row.n]));
}
