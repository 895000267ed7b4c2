import { describe, expect, it } from "vitest";
import { AppError } from "../../../core/errors.ts";
import { TrainMessage } from "../../../core/messages.ts";
import { handleBatch, reasonOf } from "../../../functions/lambda/batch.ts";
import { sqsEvent } from "../../fakes/lambda.ts";
import { quietLog } from "../../fakes/log.ts";

const message = (sensorId: string) => ({ sensorIds: [sensorId], reason: "scheduled", slot: "2026-03-01T12:00:00Z" });

describe("batch", () => {
  it("fails only the message whose handling throws", async () => {
    const handled: string[] = [];
    const answer = await handleBatch(
      sqsEvent([message("1"), message("2"), message("3")]),
      TrainMessage,
      quietLog(),
      async (m) => {
        if (m.sensorIds[0] === "2") throw new Error("no memory");
        handled.push(...m.sensorIds);
      },
    );
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "message-1", reason: "no memory" }] });
    expect(handled).toEqual(["1", "3"]);
  });

  it("takes a message of the version before, which names one sensor", () => {
    const { sensorIds: _, ...rest } = message("");
    expect(TrainMessage.parse({ ...rest, sensorId: "1" })).toMatchObject({ sensorIds: ["1"], reason: "scheduled" });
  });

  it.each([
    ["not JSON", "{"],
    ["another shape", { hello: "world" }],
    ["no sensor", message("")],
    ["an unknown reason", { ...message("1"), reason: "whim" }],
    ["a time that is none", { ...message("1"), slot: "yesterday" }],
    ["null", null],
  ])("fails only a poison message: %s", async (_name, poison) => {
    const handled: string[] = [];
    const log = quietLog();
    const event = sqsEvent([message("1"), poison, message("2")]);
    const answer = await handleBatch(event, TrainMessage, log, async (m) => handled.push(...m.sensorIds));
    const reason = expect.stringMatching(/^(malformed message|SyntaxError): ./);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "message-1", reason }] });
    expect(handled).toEqual(["1", "2"]);
    expect(log.lines).toMatchObject([
      { level: "error", event: "message.malformed", fields: { messageId: "message-1" } },
    ]);
  });
});

describe("reason", () => {
  it("tells the fault and what it came of, in one line", () => {
    const cause = Object.assign(new Error("terminating connection\n due to administrator command"), { code: "57P01" });
    const error = new AppError("predictorUnavailable", "predictor database: gone", { cause });
    expect(reasonOf(error)).toBe(
      "predictorUnavailable: predictor database: gone; because: 57P01: terminating connection due to administrator command",
    );
  });

  it("keeps secrets to itself, and ends somewhere", () => {
    const text = reasonOf(new Error(`postgres://worker:s3cret@db/x ${"long ".repeat(1_000)}`));
    expect(text).not.toContain("s3cret");
    expect(text.length).toBeLessThanOrEqual(1_000);
  });

  it("holds nothing that a queue could not store", () => {
    expect(reasonOf(new Error("a\0b\ud83dc\ufffed\u001b[0m"))).toBe("a b c d [0m");
    expect(reasonOf(new Error("\u{1f321}".repeat(700))).isWellFormed()).toBe(true);
  });

  it("ends where causes go round in a circle", () => {
    const error = new Error("a");
    error.cause = error;
    expect(reasonOf(error)).toBe("a; because: a; because: a; because: a; because: a");
  });

  it("finds words for whatever is thrown", () => {
    expect(
      [reasonOf("text"), reasonOf(new Error()), reasonOf(undefined), reasonOf(null), reasonOf({})].every(
        (one) => one !== "",
      ),
    ).toBe(true);
  });
});
