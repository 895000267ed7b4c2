import type { DeadLetters, Log, Queue } from "../../core/ports.ts";
import type { Database } from "../adapters/postgres/connection/pool.ts";
import { postgresDeadLetters } from "../adapters/postgres/dead-letters.ts";
import type { PredictorSchema } from "../adapters/postgres/schema.ts";
import type { SqsDeadLetters } from "../adapters/sqs-dead-letters.ts";
import type { Config } from "../config/environment.ts";
import { wanted } from "./process.ts";

/** Queues on the predictor database with their workers, for as long as `opened` lives. */
export async function openBoss(config: Config, log: Log, opened: AsyncDisposableStack, isAlone: boolean) {
  const { openBossQueue } = await import("../adapters/pgboss.ts");
  const url = wanted(config.predictorDatabaseUrl, "PREDICTOR_DATABASE_URL");
  const queue = await openBossQueue(url, log, { isAlone });
  opened.defer(() => queue.stop());
  return queue;
}

/** The queues on SQS. */
export async function openSqs(config: Config): Promise<Queue> {
  const { sqsQueue } = await import("../adapters/sqs.ts");
  return sqsQueue(sqsOptions(config));
}

/** The dead letters on SQS. */
export async function openSqsDeadLetters(config: Config): Promise<SqsDeadLetters> {
  const { sqsDeadLetters } = await import("../adapters/sqs-dead-letters.ts");
  return sqsDeadLetters(sqsOptions(config));
}

/** The dead letters in the predictor database, to look at. */
export function openDeadLetterList({ db }: Database<PredictorSchema>): Pick<DeadLetters, "list"> {
  return postgresDeadLetters(db);
}

/** The dead letters of wherever the queues are: SQS where they have URLs, else the predictor database. */
export async function openDeadLetters(
  config: Config,
  log: Log,
  predictor: Database<PredictorSchema>,
  opened: AsyncDisposableStack,
): Promise<DeadLetters> {
  if (Object.values(sqsOptions(config).urls).some((url) => url !== null)) return openSqsDeadLetters(config);
  return {
    ...openDeadLetterList(predictor),
    redrive: async (queue, ids) => (await openBoss(config, log, opened, false)).redrive(queue, ids),
  };
}

function sqsOptions(config: Config) {
  const { forecastQueueUrl: forecast, scoreQueueUrl: score, trainQueueUrl: train, notifyQueueUrl: notify } = config;
  return { urls: { forecast, score, train, notify }, endpoint: config.sqsEndpoint };
}
