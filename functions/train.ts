import { randomUUID } from "node:crypto";
import type { SQSEvent } from "aws-lambda";
import { TrainMessage } from "../core/messages.ts";
import { type TrainSettings, train } from "../core/operations/train.ts";
import type { Ports } from "../core/ports.ts";
import { handleBatch } from "./lambda/batch.ts";
import { once } from "./lambda/once.ts";
import { openTrainRuntime } from "./runtime.ts";

type TrainPorts = Pick<Ports, "clock" | "log" | "follower" | "trainer" | "store" | "inference" | "registry" | "leases">;

/** An aborted signal ends a training that is under way; its message comes back. */
export function createTrainHandler(ports: TrainPorts, settings: TrainSettings, signal?: AbortSignal) {
  return (event: SQSEvent) =>
    handleBatch(event, TrainMessage, ports.log, (message) =>
      train(ports, settings, message, { holder: randomUUID(), ...(signal ? { signal } : {}) }),
    );
}

const start = once(async () => {
  const { ports, settings } = await openTrainRuntime();
  return createTrainHandler(ports, settings.train);
});

export const handler = async (event: SQSEvent) => (await start())(event);
