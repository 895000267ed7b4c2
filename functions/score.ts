import type { SQSEvent } from "aws-lambda";
import { type ScoreSettings, score } from "../core/evaluation/score.ts";
import { ScoreMessage } from "../core/operations/messages.ts";
import type { Ports } from "../core/ports.ts";
import { handleBatch } from "./batch.ts";
import { once } from "./once.ts";
import { openScoreRuntime } from "./runtime.ts";

type ScorePorts = Pick<Ports, "clock" | "log" | "follower" | "scores" | "adaptations">;

export function createScoreHandler(ports: ScorePorts, settings: ScoreSettings) {
  return (event: SQSEvent) => handleBatch(event, ScoreMessage, ports.log, (message) => score(ports, settings, message));
}

const start = once(async () => {
  const { ports, settings } = await openScoreRuntime();
  return createScoreHandler(ports, settings.score);
});

export const handler = async (event: SQSEvent) => (await start())(event);
