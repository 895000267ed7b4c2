/// <reference path="../.sst/platform/config.d.ts" />
import type { QueueName, StageSettings } from "../sst.settings.ts";
import { title } from "./names.ts";

/** The work queues, each with its dead letters, and the dead letters of the schedules' ticks. */
export function createQueues(settings: StageSettings) {
  const work = (name: QueueName) => {
    const dead = deadLetters(title(name));
    const queue = new sst.aws.Queue(`${title(name)}Queue`, {
      visibilityTimeout: `${6 * settings.functions[name].timeoutSeconds} seconds`,
      dlq: { queue: dead.arn, retry: settings.queues[name].attempts },
    });
    return { queue, dead };
  };
  return {
    ...{ forecast: work("forecast"), score: work("score"), train: work("train"), notify: work("notify") },
    ticksDead: deadLetters("Tick"),
  };
}
export type Queues = ReturnType<typeof createQueues>;

/** Where a message goes that failed often enough: it waits there for two weeks. */
function deadLetters(name: string) {
  return new sst.aws.Queue(`${name}DeadLetters`, { transform: { queue: { messageRetentionSeconds: 14 * 86_400 } } });
}
