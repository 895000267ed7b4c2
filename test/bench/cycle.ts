import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { SQSEvent } from "aws-lambda";
import { defaultLeads, everyLead, lastLead, leadsText } from "../../core/model/leads.ts";
import type { ForecastPorts } from "../../core/operations/forecast.ts";
import type { Ports } from "../../core/ports.ts";
import { addSeconds } from "../../core/time.ts";
import { memoryFiles } from "../../functions/adapters/memory-store.ts";
import { onnxInference } from "../../functions/adapters/onnx.ts";
import { fleetInference } from "../../functions/adapters/onnx-fleet.ts";
import { type Database, openDatabase } from "../../functions/adapters/postgres/connection/pool.ts";
import { migrate } from "../../functions/adapters/postgres/migrate.ts";
import type { PredictorSchema } from "../../functions/adapters/postgres/schema.ts";
import { postgresFollower } from "../../functions/adapters/postgres/source/follower.ts";
import { readConfig } from "../../functions/config/environment.ts";
import { settingsOf } from "../../functions/config/settings.ts";
import { parseSource, targetsOf } from "../../functions/config/source.ts";
import { createForecastHandler } from "../../functions/forecast.ts";
import { startEmbedded } from "../../functions/machine/embedded/cluster.ts";
import { waitForFollower } from "../../functions/machine/embedded/prepare.ts";
import { keepFollower } from "../../functions/runtime/follower.ts";
import { predictorPorts } from "../../functions/runtime/predictor.ts";
import { createScoreHandler } from "../../functions/score.ts";
import { artefactOf } from "../artefacts.ts";
import { testClock } from "../fakes/clock.ts";
import { noFleets } from "../fakes/inference.ts";
import { sqsEvent } from "../fakes/lambda.ts";
import { quietLog } from "../fakes/log.ts";
import { runSql, wideTable } from "../source-table.ts";
import { buffersTouched } from "./cycle/buffers.ts";
import { benchEncoding, enlistFleet } from "./cycle/fleet.ts";
import { copyModels, fillNaive, openNaive } from "./cycle/naive.ts";
import { median, round, summary } from "./cycle/report.ts";
import { type Measured, stagesOf } from "./cycle/stages.ts";

/*
 * Cycles over a synthetic fleet: ten-minute readings as far as models look back on a streaming standby, the fleet's
 * network with a part for every sensor, everything durable; forecast, scored and learnt from. Beside it, in the same
 * run, the naive way over some of the sensors: a model of its own for each. JSON.
 */

const { values } = parseArgs({
  options: {
    sensors: { type: "string", default: "1000" },
    shard: { type: "string", default: "100" },
    naive: { type: "string", default: "100" },
    cycles: { type: "string", default: "3" },
    /** Cycles that lie before those that are measured: as many as have a lead at each moment, and a few more. */
    "warm-up": { type: "string", default: "28" },
    /** 24: the next four hours, what the aims are stated for; 44: what is served by default, a day. */
    leads: { type: "string", default: "24" },
    /** Sensors' parts that the cache holds; all of them by default. */
    parts: { type: "string" },
  },
});
const sensors = Number(values.sensors);
const shard = Number(values.shard);
const naiveSensors = Math.min(sensors, Number(values.naive));
const cycles = Number(values.cycles);
const warmUp = Number(values["warm-up"]);
const maximumParts = Number(values.parts ?? sensors);
const lastSlot = new Date("2026-03-01T12:00:00Z");
const leads = [everyLead(24), defaultLeads(600)].find(({ length }) => length === Number(values.leads));
if (leads === undefined) throw new RangeError(`--leads ${values.leads}: 24 or ${defaultLeads(600).length} are known`);
const followerConnections = 2;

const say = (text: string) => process.stderr.write(`${text}\n`);
const ids = Array.from({ length: sensors }, (_, index) => String(index + 1));
const folder = await mkdtemp(join(tmpdir(), "iot-lstm-bench-"));
const log = quietLog();
const embedded = await startEmbedded({ dataDir: folder, needs: { follower: true, predictor: true }, log });
try {
  const [mainUrl, followerUrl, predictorUrl] = [embedded.mainUrl!, embedded.followerUrl!, embedded.predictorUrl!];
  const source = parseSource({ table: "sensor_readings" });
  const config = readConfig({ LEADS: leadsText(leads) });
  const settings = settingsOf(config, targetsOf([source]));
  const { targets } = settings.fleet;
  const { encoding, days: lookBack } = benchEncoding(targets, leads);
  const days = lookBack + Math.ceil((warmUp + cycles) / 144);
  say(`${sensors} sensors: writing ${sensors * days * 144} readings`);
  await runSql(mainUrl, ...wideTable({ sensors, days, endAt: lastSlot }));
  await waitForFollower(mainUrl, followerUrl, 600_000);

  const follower = openDatabase<unknown>({ url: followerUrl, side: "follower", max: followerConnections });
  const predictor = openDatabase<PredictorSchema>({ url: predictorUrl, side: "predictor", max: 2 });
  await migrate(predictor.db);
  const own = predictorPorts(predictor);
  const files = memoryFiles();
  const enlisted = { targets, leads, ids, now: slotAt(warmUp + cycles + 1) };
  const { onnxBytes, partBytes } = await enlistFleet({ registry: own.registry, files }, enlisted);
  say(`a network of ${onnxBytes} bytes, a part of ${partBytes} for every sensor`);

  const clock = testClock(addSeconds(lastSlot, 60));
  const perSensor = { targets, features: encoding.features, horizon: leads.length, leads };
  const artefact = await artefactOf(perSensor);
  const { store, models } = copyModels(artefact, ids.slice(0, naiveSensors));
  const inference = onnxInference({ store, log }, { maximumSessions: sensors });
  const fleets = fleetInference({ files, log }, { maximumParts });
  const ports: ForecastPorts & Pick<Ports, "scores" | "annotations"> = {
    clock,
    log,
    inference,
    fleetInference: fleets,
    follower: postgresFollower(follower, source, clock),
    ...own,
  };
  const kept = keepFollower(ports.follower, config, targets, clock);
  const stages = stagesOf({ ...ports, follower: kept.keeping }, () => embedded.pids());
  const handle = createForecastHandler(stages.ports, settings.forecast);
  const scoreAll = createScoreHandler({ ...ports, follower: kept.looking }, settings.score);
  const buffers = { forecast: [] as number[], score: [] as number[] };
  const touched = () => buffersTouched(follower, followerConnections);
  const pass = async (slot: Date) => {
    clock.set(addSeconds(slot, 60));
    await run(handle, batch(slot, shard));
    await stages.score(() => run(scoreAll, batch(slot, shard)));
  };
  /** What the follower is asked for, in a pass that is not measured otherwise: counting costs. */
  const countedPass = async (slot: Date) => {
    clock.set(addSeconds(slot, 60));
    const before = await touched();
    await run(handle, batch(slot, shard));
    const between = await touched();
    await run(scoreAll, batch(slot, shard));
    buffers.forecast.push((between - before) / sensors);
    buffers.score.push(((await touched()) - between) / sensors);
  };
  const cold = await stages.measure(() => pass(slotAt(cycles + warmUp)));
  for (let cycle = cycles + warmUp - 1; cycle > cycles; cycle--) await pass(slotAt(cycle));
  await countedPass(slotAt(cycles));
  const sizeBefore = await measureBytes(predictor);
  const warm: Measured[] = [];
  const residentMb: number[] = [];
  for (let cycle = cycles - 1; cycle >= 0; cycle--) {
    warm.push(await stages.measure(() => pass(slotAt(cycle))));
    residentMb.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
  }
  const size = await measureBytes(predictor);
  const perDay = (bytes: number) => Math.round(((bytes / sensors) * 144) / cycles);
  const tables: Record<string, number> = Object.fromEntries(
    [...size]
      .map(([table, bytes]) => [table, perDay(bytes - (sizeBefore.get(table) ?? 0))])
      .filter(([, bytes]) => bytes),
  );
  const naive = await openNaive({ ports: { ...ports, fleetInference: noFleets() }, follower, predictor, models });
  await fillNaive(predictor, ids.slice(0, naiveSensors), lastSlot);
  const naiveStages = stagesOf(naive.ports, () => embedded.pids());
  const handleNaively = createForecastHandler(naiveStages.ports, settings.forecast);
  const naiveMessages = ids.slice(0, naiveSensors).map((id) => ({ slot: lastSlot.toISOString(), sensorIds: [id] }));
  const slow = await naiveStages.measure(async () => {
    await run(handleNaively, sqsEvent(naiveMessages));
    await naiveStages.score(() => naive.score(ids.slice(0, naiveSensors), slotAt(1), lastLead(leads)));
  });

  const ours = summary(median(warm), sensors);
  const theirs = summary(slow, naiveSensors);
  const ratio = (name: "wallMsPerSensor" | "cpuMsPerSensor") => round(theirs[name] / ours[name]);
  const [bottleneck] = Object.entries(ours.stages).sort(([, a], [, b]) => b.cpuMs - a.cpuMs)[0] ?? [];
  const report = {
    sensors,
    shardSize: shard,
    cycles: { warmUp, measured: cycles },
    model: {
      ...{ bytes: onnxBytes, partBytes, cachedParts: Math.min(sensors, maximumParts) },
      ...{ contextLength: encoding.contextLength, leads: leads.length },
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
    /** Of the follower, in one cycle a sensor. */
    followerBuffersPerSensor: { forecast: round(buffers.forecast[0]!), score: round(buffers.score[0]!) },
    keptWindowBytesPerSensor: Math.round(kept.keptBytes() / sensors),
    /** Of this process after each measured cycle. */
    residentMb,
    naive: theirs,
    timesNaive: { wall: ratio("wallMsPerSensor"), cpu: ratio("cpuMsPerSensor") },
    bottleneck,
    machine: { cores: availableParallelism(), cpu: cpus()[0]?.model, node: process.version },
  };
  console.log(JSON.stringify(report, null, 2));
  await inference.close();
  fleets.close();
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
