import { randomUUID } from "node:crypto";
import type { SQSEvent } from "aws-lambda";
import { z } from "zod";
import { TrainFleetMessage, TrainMessage } from "../core/messages.ts";
import { type TrainSettings, train } from "../core/operations/train.ts";
import { trainFleet } from "../core/operations/train-fleet.ts";
import type { Ports } from "../core/ports.ts";
import { handleBatch } from "./lambda/batch.ts";
import { givingUp } from "./lambda/give-up.ts";
import { once } from "./lambda/once.ts";
import { openTrainRuntime } from "./runtime.ts";

type TrainPorts = Pick<Ports, "clock" | "log" | "follower" | "registry" | "leases"> &
  Pick<Ports, "trainer" | "store" | "inference" | "fleetTrainer" | "fleetFiles" | "fleetInference">;

const Message = z.union([TrainFleetMessage, TrainMessage]);

/** An aborted signal ends a training that is under way; its message comes back. */
export function createTrainHandler(ports: TrainPorts, settings: TrainSettings, signal?: AbortSignal) {
  return (event: SQSEvent) =>
    handleBatch(event, Message, ports.log, (message: z.infer<typeof Message>): Promise<unknown> => {
      const run = { holder: randomUUID(), ...(signal ? { signal } : {}) };
      return "fleet" in message ? trainFleet(ports, settings, message, run) : train(ports, settings, message, run);
    });
}

const start = once(async () => {
  const { ports, settings, deadLetters } = await openTrainRuntime();
  return givingUp("train", createTrainHandler(ports, settings.train), ports.log, deadLetters);
});

export const handler = async (event: SQSEvent) => (await start())(event);
