import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { SQSBatchResponse } from "aws-lambda";
import { startFauxqs } from "fauxqs";
import { type Database, openDatabase } from "../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../functions/adapters/postgres/schema.ts";
import type { FunctionName, QueueName } from "../../sst.settings.ts";
import { encryptLinks } from "../infra/bundle.ts";
import { queueNames } from "../infra/world.ts";
import { startNeon } from "../neon.ts";
import { startTestPostgres } from "../postgres.ts";
import { startS3 } from "../s3.ts";
import { readBundles } from "./bundles.ts";
import { type Lambda, startLambda } from "./lambda.ts";

export type Cloud = Awaited<ReturnType<typeof startCloud>>;

const neonHost = "ep-stand-in-pooler.eu-central-1.aws.neon.tech";
export const apiKey = "the-right-key-of-the-api-0123456789";

/**
 * Stand-ins for everything around the functions: SQS and S3 for the real SDK, Postgres as follower (a role with SELECT
 * only, over TCP) and as Neon (through its driver's WebSocket). The bundles' resource.enc gets this cloud's secrets.
 */
export async function startCloud() {
  const bundles = await readBundles();
  const postgres = await startTestPostgres();
  const neon = await startNeon(postgres.url);
  const sqs = await startFauxqs({ port: 0, logger: false, host: "127.0.0.1" });
  const s3 = await startS3();

  const opened: Database<PredictorSchema>[] = [];
  const followerUrl = await postgres.createDatabase();
  const app = openDatabase<Record<string, never>>({ url: followerUrl, side: "follower", statementTimeoutMs: 600_000 });
  await app.query(
    "create table sensor_readings (id bigint generated always as identity primary key," +
      " sensor_id text not null, temperature float8, humidity float8, timestamp timestamptz not null)",
  );
  await app.query("create index on sensor_readings (sensor_id, timestamp)");
  await app.query("create role reader login password 'reader'").catch(() => {});
  await app.query("grant select on sensor_readings to reader");

  const throughNeon = (url: string) => {
    const moved = new URL(url);
    moved.hostname = neonHost;
    moved.port = "";
    return moved.href;
  };
  /** A predictor database of its own, and the environment that leads a function to it. */
  const createPredictor = async () => {
    const url = await postgres.createPredictorDatabase();
    const database = openDatabase<PredictorSchema>({ url, side: "predictor", statementTimeoutMs: 600_000 });
    opened.push(database);
    return { ...database, environment: { PREDICTOR_DATABASE_URL: throughNeon(url) } };
  };
  const linked = await createPredictor();
  const asReader = new URL(followerUrl);
  asReader.username = asReader.password = "reader";
  const values: Record<string, string> = {
    FollowerDatabaseUrl: asReader.href,
    PredictorDatabaseUrl: linked.environment.PREDICTOR_DATABASE_URL,
    ApiKey: apiKey,
  };
  for (const { folder, links, environment } of Object.values(bundles)) {
    const secrets = links.map((name) => [name, { value: values[name], type: "sst.sst.Secret" }]);
    await writeFile(join(folder, "resource.enc"), encryptLinks(Object.fromEntries(secrets), environment.SST_KEY ?? ""));
  }

  const client = new SQSClient({
    endpoint: sqs.address,
    region: "eu-central-1",
    credentials: { accessKeyId: "stand-in", secretAccessKey: "stand-in" },
  });
  const made = queueNames.map((name) => {
    const dead = sqs.createQueue(`${name}-dead`);
    const redrive = JSON.stringify({ deadLetterTargetArn: dead.queueArn, maxReceiveCount: 3 });
    const attributes = { VisibilityTimeout: "0", RedrivePolicy: redrive };
    const { queueUrl } = sqs.createQueue(name, { attributes });
    // Its own URLs put the region before the address, which makes no URL of an IP.
    return [name, `${sqs.address}${new URL(queueUrl.replace(/\/\/[^/]+/, "//sqs")).pathname}`] as const;
  });
  const urls = Object.fromEntries(made);
  const started: Lambda[] = [];

  return {
    bundles,
    postgres,
    neon,
    sqs,
    s3,
    app,
    /** The predictor database that the bundles' secrets name. */
    linked,
    createPredictor,
    /** Starts a function with its own bundle and environment, but for the addresses of the stand-ins. */
    async start(name: FunctionName, environment: Record<string, string> = {}): Promise<Lambda> {
      const lambda = await startLambda(bundles[name], {
        ...bundles[name].environment,
        FORECAST_QUEUE_URL: urls.forecast ?? "",
        SCORE_QUEUE_URL: urls.score ?? "",
        TRAIN_QUEUE_URL: urls.train ?? "",
        AWS_ENDPOINT_URL_SQS: sqs.address,
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        NEON_STAND_IN_PORT: String(neon.port),
        ...environment,
      });
      started.push(lambda);
      return lambda;
    },
    /** Takes up to ten messages, without deleting them; visible again at once, as after the visibility timeout. */
    async receive(name: QueueName): Promise<Message[]> {
      const command = new ReceiveMessageCommand({ QueueUrl: urls[name], MaxNumberOfMessages: 10, WaitTimeSeconds: 0 });
      return (await client.send(command)).Messages ?? [];
    },
    /** What the event source mapping does after an answer: deletes every message that did not fail. */
    async settle(name: QueueName, messages: Message[], answer: SQSBatchResponse): Promise<void> {
      const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      for (const { MessageId, ReceiptHandle } of messages) {
        if (failed.has(MessageId ?? "")) continue;
        await client.send(new DeleteMessageCommand({ QueueUrl: urls[name], ReceiptHandle }));
      }
    },
    /** One reading a step for each sensor in [end - seconds, end]: a daily wave with a little unrest. */
    async seed(sensorIds: string[], end: Date, seconds: number): Promise<void> {
      await app.query(
        `insert into sensor_readings (sensor_id, temperature, humidity, timestamp)
         select id, 20 + 3 * sin(extract(epoch from at) * 2 * pi() / 86400 + n) + hashtext(id || at) / 4e9,
           45 + 8 * cos(extract(epoch from at) * 2 * pi() / 86400 + n) + hashtext(at || id) / 1e9, at
         from unnest($1::text[]) with ordinality as sensor (id, n),
           generate_series($2::timestamptz - make_interval(secs => $3), $2::timestamptz, interval '10 minutes') as at`,
        [sensorIds, end, seconds],
      );
    },
    async stop(): Promise<void> {
      await Promise.all(started.map((lambda) => lambda.kill()));
      await Promise.all([app, ...opened].map((database) => database.close()));
      client.destroy();
      await sqs.stop();
      await s3.close();
      await neon.stop();
      await postgres.stop();
    },
  };
}
