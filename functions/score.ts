import type { SQSEvent } from "aws-lambda";
import { ScoreMessage } from "../core/messages.ts";
import { once } from "../core/once.ts";
import { type ScoreSettings, score } from "../core/operations/score.ts";
import type { Ports } from "../core/ports.ts";
import { handleBatch } from "./lambda/batch.ts";
import { givingUp } from "./lambda/give-up.ts";
import { openScoreRuntime } from "./runtime.ts";

type ScorePorts = Pick<Ports, "clock" | "log" | "follower" | "scores" | "adaptations" | "annotations">;

export function createScoreHandler(ports: ScorePorts, settings: ScoreSettings) {
  return (event: SQSEvent) => handleBatch(event, ScoreMessage, ports.log, (message) => score(ports, settings, message));
}

const start = once(async () => {
  const { ports, settings, deadLetters } = await openScoreRuntime();
  return givingUp("score", createScoreHandler(ports, settings.score), ports.log, deadLetters);
});

export const handler = async (event: SQSEvent) => (await start())(event);
