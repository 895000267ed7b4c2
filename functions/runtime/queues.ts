import type { Log, Queue } from "../../core/ports.ts";
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
  const { forecastQueueUrl: forecast, scoreQueueUrl: score, trainQueueUrl: train, sqsEndpoint: endpoint } = config;
  return sqsQueue({ urls: { forecast, score, train }, endpoint });
}
