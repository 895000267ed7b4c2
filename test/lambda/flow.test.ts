import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Score } from "../../core/forecast/score.ts";
import { everyLead } from "../../core/model/leads.ts";
import type { Artefact } from "../../core/model/manifest.ts";
import { addSeconds, floorToStep } from "../../core/time.ts";
import { postgresRegistry } from "../../functions/adapters/postgres/registry/registry.ts";
import { postgresScores } from "../../functions/adapters/postgres/score/scores.ts";
import { s3Store } from "../../functions/adapters/s3.ts";
import { artefactOf } from "../artefacts.ts";
import { eventOf } from "../sqs-events.ts";
import { type Cloud, startCloud } from "./cloud.ts";
import type { Lambda } from "./lambda.ts";

/**
 * Three steps ago, so that nothing is issued before its origin and actuals can follow; the slot comes with the events.
 */
const slot = floorToStep(addSeconds(new Date(), -1_800), 600);
const day = 86_400;
const sensorIds = ["attic", "cellar", "kitchen"];
const at = (seconds: number) => addSeconds(slot, seconds);

type Predictor = Awaited<ReturnType<Cloud["createPredictor"]>>;

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
  await cloud.seed(sensorIds, slot, 9 * day);
});
afterAll(() => cloud.stop());

/** The result; a fault shows what the function printed. */
async function run<T>(lambda: Lambda, event: unknown): Promise<T> {
  const answer = await lambda.invoke(event);
  if (answer.ok) return answer.result as T;
  throw new Error(`${answer.error.errorType}: ${answer.error.errorMessage}\n${lambda.output()}`);
}

const record = (id: string, body: object) => ({ MessageId: id, Body: JSON.stringify(body) });
const shard = (id: string, ...names: string[]) => record(id, { slot: slot.toISOString(), sensorIds: names });

/** Puts an artefact into S3 and makes it its sensor's champion. */
async function serve({ db }: Predictor, artefact: Artefact): Promise<void> {
  const bucket = new URL(cloud.bundles.forecast.environment.MODEL_STORE ?? "").host;
  const store = s3Store({ bucket, prefix: "models", endpoint: cloud.s3.endpoint });
  await store.put(artefact);
  store.close();
  const registry = postgresRegistry(db);
  await registry.register({ manifest: artefact.manifest, statusReason: "test", now: slot });
  await registry.promote(artefact.manifest.modelId, "test", slot);
}

/** Every column of the forecasts that does not tell when the row was written. */
const rowsOf = ({ query }: Predictor) =>
  query<Record<string, unknown>>(
    `select sensor_id, target, origin, model_key, is_served, slot, method, baseline, reason, model_sha256,
       source_watermark, imputed_steps, q10, q50, q90, last_value, seasonal_naive
     from forecast order by sensor_id, target, origin, model_key`,
  );
const outcomesOf = ({ query }: Predictor) =>
  query<{ sensor_id: string }>("select sensor_id, slot, status, reason from outcome order by sensor_id, slot");

test("a schedule event ends in SQS messages that name every sensor; the same event again sends nothing", async () => {
  const { environment } = await cloud.createPredictor();
  const schedule = await cloud.start("schedule", { ...environment, SHARD_SIZE: "2" });
  await run(schedule, { time: at(60).toISOString(), task: "forecast" });

  const bodies = (await cloud.receive("forecast")).map(({ Body }) => JSON.parse(Body ?? ""));
  expect(bodies.flatMap((body) => body.sensorIds).sort()).toEqual(sensorIds);
  expect(bodies.map((body) => body.slot)).toEqual([slot.toISOString(), slot.toISOString()]);

  await run(schedule, { time: at(60).toISOString(), task: "forecast" });
  expect(await cloud.receive("forecast")).toHaveLength(bodies.length);
});

describe("a batch of forecasts", () => {
  let artefact: Artefact;
  beforeAll(async () => {
    artefact = await artefactOf({ sensorId: "attic", modelId: "attic-1" });
  });

  test("with one poison record ends in stored forecasts and exactly one failure", async () => {
    const predictor = await cloud.createPredictor();
    await serve(predictor, artefact);
    const forecast = await cloud.start("forecast", predictor.environment);
    const poison = record("poison", { slot: "yesterday", sensorIds: ["kitchen"] });
    const event = eventOf([shard("1", "attic"), poison, shard("2", "cellar")]);

    expect(await run(forecast, event)).toEqual({ batchItemFailures: [{ itemIdentifier: "poison" }] });
    expect(await outcomesOf(predictor)).toEqual([
      { sensor_id: "attic", slot, status: "issued", reason: null },
      { sensor_id: "cellar", slot, status: "baseline", reason: "noModel" },
    ]);
    const rows = await rowsOf(predictor);
    const byModel = rows.filter(({ model_sha256 }) => model_sha256 === artefact.manifest.modelSha256);
    expect(byModel.map(({ sensor_id, target }) => `${sensor_id} ${target}`)).toEqual([
      "attic humidity",
      "attic temperature",
    ]);

    // The same records once more, as SQS may: nothing changes.
    await run(forecast, event);
    expect(await rowsOf(predictor)).toEqual(rows);
  });

  test("killed in the middle and delivered again ends in the rows of a run without a fault", async () => {
    const [sound, struck] = [await cloud.createPredictor(), await cloud.createPredictor()];
    for (const predictor of [sound, struck]) await serve(predictor, artefact);
    const event = eventOf([shard("1", "attic", "cellar"), shard("2", "kitchen")]);
    await run(await cloud.start("forecast", sound.environment), event);

    const victim = await cloud.start("forecast", struck.environment);
    await struck.db.executeQuery(sql`select ensure_day(${slot.toISOString().slice(0, 10)}::date)`.compile(struck.db));
    const lost = struck.db.transaction().execute(async (transaction) => {
      // Whoever wants to decide the second record's sensor waits for this transaction.
      await transaction
        .insertInto("outcome")
        .values({
          sensor_id: "kitchen",
          slot,
          status: "refused",
          reason: null,
          reason_text: null,
          have: null,
          need: null,
          held: 0,
          decided_at: slot,
        })
        .execute();
      const answer = victim.invoke(event).catch((error: Error) => error);
      await untilBlocked(struck);
      // The first record is stored, the second under way. Whether its statement still completes is the server's
      // business.
      expect((await outcomesOf(struck)).map(({ sensor_id }) => sensor_id)).toEqual(["attic", "cellar"]);
      await victim.kill();
      expect(await answer).toBeInstanceOf(Error);
      throw new Error("take the row back");
    });
    await expect(lost).rejects.toThrow("take the row back");

    expect(await run(await cloud.start("forecast", struck.environment), event)).toEqual({ batchItemFailures: [] });
    expect(await rowsOf(struck)).toEqual(await rowsOf(sound));
    expect(await outcomesOf(struck)).toEqual(await outcomesOf(sound));
  });
});

async function untilBlocked({ query }: Predictor): Promise<void> {
  for (;;) {
    const blocked = await query(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    if (blocked.length > 0) return;
  }
}

test("a trained model is promoted on its scores, and the next forecast is by it", async () => {
  const predictor = await cloud.createPredictor();
  await cloud.seed(["office"], slot, 30 * day);
  const champion = await artefactOf({ sensorId: "office", modelId: "office-1" });
  await serve(predictor, champion);

  const schedule = await cloud.start("schedule", predictor.environment);
  await run(schedule, { time: at(60).toISOString(), task: "train" });
  const messages = await cloud.receive("train");
  expect(messages).toHaveLength(1);
  await cloud.settle("train", messages, { batchItemFailures: [] });
  const train = await cloud.start("train", predictor.environment);
  const message = record("1", { sensorId: "office", reason: "requested", slot: slot.toISOString() });
  expect(await run(train, eventOf([message]))).toEqual({ batchItemFailures: [] });

  const registry = postgresRegistry(predictor.db);
  const [challenger] = await registry.challengers(["office"]);
  if (!challenger) throw new Error(`no challenger\n${train.output()}`);
  for (const file of ["fleet.onnx", "prior.safetensors", "golden.safetensors", "manifest.json"]) {
    expect([...cloud.s3.objects.keys()]).toContainEqual(expect.stringMatching(`models/fleets/[^/]+/${file}$`));
  }

  await postgresScores(predictor.db).record([...scoresOf("office-1", 1), ...scoresOf(challenger.modelId, 0.5)]);
  const promote = await cloud.start("promote", predictor.environment);
  const decided = await run(promote, { time: at(7_200).toISOString() });
  expect(decided).toMatchObject({ fleets: [], sensors: [{ decision: "promote", modelId: challenger.modelId }] });

  const forecast = await cloud.start("forecast", predictor.environment);
  await run(forecast, eventOf([shard("1", "office")]));
  const served = await predictor.query("select distinct model_key, method from forecast where is_served");
  expect(served).toEqual([{ model_key: challenger.modelId, method: "lstm" }]);
});

/** Four days of scores whose errors are `size` times a little noise; 4 of 5 actuals are within the band. */
function scoresOf(modelKey: string, size: number): Score[] {
  return Array.from({ length: 576 }, (_, i) => {
    const leads = (value: number) => Array.from({ length: 24 }, () => value);
    const error = size * (1 + 0.2 * Math.sin(i * 1.7));
    return {
      sensorId: "office",
      target: "temperature",
      targetAt: at(600 * (i + 1)),
      modelKey,
      actual: 20,
      scoredAt: at(600 * (i + 1)),
      resolution: null,
      leads: everyLead(24),
      error: leads(error),
      pinball: leads(error / 3),
      isCovered: leads(0).map(() => i % 5 !== 0),
      ownPinball: leads(error / 3),
      ownIsCovered: leads(0).map(() => i % 5 !== 0),
      persistenceError: leads(3),
      seasonalNaiveError: leads(3),
    };
  });
}

test("a training that is killed leaves no model behind", async () => {
  const predictor = await cloud.createPredictor();
  await cloud.seed(["garage"], slot, 60 * day);
  const train = await cloud.start("train", predictor.environment);
  const message = record("1", { sensorId: "garage", reason: "requested", slot: slot.toISOString() });
  const answer = train.invoke(eventOf([message])).catch((error: Error) => error);
  while ((await predictor.query("select from lease")).length === 0);
  await train.kill();
  expect(await answer).toBeInstanceOf(Error);
  expect(await predictor.query("select model_id from model")).toEqual([]);
  expect([...cloud.s3.objects.keys()].filter((key) => key.includes("garage"))).toEqual([]);
});

test("what was forecast is scored once the actuals are there, and the watch writes CloudWatch's metrics", async () => {
  const predictor = await cloud.createPredictor();
  await run(await cloud.start("forecast", predictor.environment), eventOf([shard("1", "cellar")]));
  // As if it had been in time: a lead counts only where it was issued before its moment.
  await predictor.query("update issued set issued_at = slot");
  await cloud.seed(["cellar"], at(1_800), 1_200);
  const event = eventOf([record("1", { slot: at(1_800).toISOString(), sensorIds: ["cellar"] })]);
  expect(await run(await cloud.start("score", predictor.environment), event)).toEqual({ batchItemFailures: [] });
  const scores = await predictor.query("select target_at from scores where target = 'temperature' order by 1");
  // The last step waits for late readings.
  expect(scores).toEqual([600, 1_200].map((seconds) => ({ target_at: at(seconds) })));

  const watch = await cloud.start("watch", predictor.environment);
  await run(watch, { time: at(1_860).toISOString() });
  const metrics = () => /^.*CloudWatchMetrics.*$/m.exec(watch.output())?.[0];
  await expect.poll(metrics).toBeDefined();
  expect(JSON.parse(metrics() ?? "null")).toMatchObject({
    Stage: "dev",
    SourceAgeSeconds: expect.any(Number),
    MissedCycles: expect.any(Number),
    DatabaseBytes: expect.any(Number),
    _aws: { CloudWatchMetrics: [{ Namespace: "IotLstmPredictor", Dimensions: [["Stage"]] }] },
  });
});
