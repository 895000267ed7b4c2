import { randomUUID } from "node:crypto";
import type { SQSEvent } from "aws-lambda";
import * as z from "zod";
import { TrainFleetMessage, TrainMessage } from "../core/messages.ts";
import { once } from "../core/once.ts";
import { type TrainFleetPorts, trainFleet, trainSensors } from "../core/operations/train-fleet.ts";
import type { TrainSettings } from "../core/operations/train-settings.ts";
import { handleBatch } from "./lambda/batch.ts";
import { givingUp } from "./lambda/give-up.ts";
import { openTrainRuntime } from "./runtime.ts";

const Message = z.union([TrainFleetMessage, TrainMessage]);

/** An aborted signal ends a training that is under way; its message comes back. */
export function createTrainHandler(ports: TrainFleetPorts, settings: TrainSettings, signal?: AbortSignal) {
  return (event: SQSEvent) =>
    handleBatch(event, Message, ports.log, (message: z.infer<typeof Message>): Promise<unknown> => {
      const run = { holder: randomUUID(), ...(signal ? { signal } : {}) };
      return "fleet" in message
        ? trainFleet(ports, settings, message, run)
        : trainSensors(ports, settings, message, run);
    });
}

const start = once(async () => {
  const { ports, settings, deadLetters } = await openTrainRuntime();
  return givingUp("train", createTrainHandler(ports, settings.train), ports.log, deadLetters);
});

export const handler = async (event: SQSEvent) => (await start())(event);
