import { describe, expect, it } from "vitest";
import { TrainMessage } from "../../../core/messages.ts";
import { handleBatch } from "../../../functions/lambda/batch.ts";
import { sqsEvent } from "../../fakes/lambda.ts";
import { quietLog } from "../../fakes/log.ts";

const message = (sensorId: string) => ({ sensorId, reason: "scheduled", slot: "2026-03-01T12:00:00Z" });

describe("batch", () => {
  it("fails only the message whose handling throws", async () => {
    const handled: string[] = [];
    const answer = await handleBatch(
      sqsEvent([message("1"), message("2"), message("3")]),
      TrainMessage,
      quietLog(),
      async (m) => {
        if (m.sensorId === "2") throw new Error("no memory");
        handled.push(m.sensorId);
      },
    );
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "message-1" }] });
    expect(handled).toEqual(["1", "3"]);
  });

  it.each([
    ["not JSON", "{"],
    ["another shape", { hello: "world" }],
    ["no sensor", { ...message(""), sensorId: "" }],
    ["an unknown reason", { ...message("1"), reason: "whim" }],
    ["a time that is none", { ...message("1"), slot: "yesterday" }],
    ["null", null],
  ])("fails only a poison message: %s", async (_name, poison) => {
    const handled: string[] = [];
    const log = quietLog();
    const event = sqsEvent([message("1"), poison, message("2")]);
    const answer = await handleBatch(event, TrainMessage, log, async (m) => handled.push(m.sensorId));
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "message-1" }] });
    expect(handled).toEqual(["1", "2"]);
    expect(log.lines).toMatchObject([
      { level: "error", event: "message.malformed", fields: { messageId: "message-1" } },
    ]);
  });
});
