import { expect, test } from "vitest";
import type { PairedScore } from "../../../core/forecast/score.ts";
import { everyLead } from "../../../core/model/leads.ts";
import { defaultPromotionSettings, judgeAlone, judgeChallenger } from "../../../core/operations/judge.ts";
import { addSeconds } from "../../../core/time.ts";
import { randomOf, someSlot } from "../../builders.ts";

const settings = { ...defaultPromotionSettings(everyLead(4)), minimumMoments: 100, maximumMoments: 400 };

/** Scores of two models, the challenger's losses `ratio` times the champion's beneath noise of its own. */
function pairsOf(
  moments: number,
  options: { ratio?: number; coveredB?: number; persistence?: number } = {},
): PairedScore[] {
  const { ratio = 1, coveredB = 0.8, persistence = 4 } = options;
  const random = randomOf(moments);
  return Array.from({ length: moments * 8 }, (_, i) => {
    const isHumid = i % 2 === 0;
    const unit = isHumid ? 10 : 1;
    const a = unit * (0.5 + random());
    return {
      target: isHumid ? "humidity" : "temperature",
      targetAt: addSeconds(someSlot, Math.floor(i / 8) * 600),
      lead: (Math.floor(i / 2) % 4) + 1,
      pinballA: a,
      pinballB: Math.max(0, ratio * a + unit * 0.2 * (random() - 0.5)),
      isCoveredA: random() < 0.8,
      isCoveredB: random() < coveredB,
      persistenceError: unit * persistence,
    };
  });
}

test("a clear win is promoted, with the numbers", () => {
  const verdict = judgeChallenger(pairsOf(200, { ratio: 0.9 }), settings);
  expect(verdict.decision).toBe("promote");
  expect(verdict.reason).toMatch(/won, p = .*, 200 moments, loss 9\d\.\d % of the champion's/);
});

test("too few pairs decide nothing, however clear they are", () => {
  expect(judgeChallenger(pairsOf(99, { ratio: 0.5 }), settings)).toEqual({
    decision: "keep",
    reason: "99 of 100 paired moments; waits for scores",
  });
  expect(judgeChallenger([], settings).decision).toBe("keep");
});

test("a tie waits, and is given up in the end", () => {
  expect(judgeChallenger(pairsOf(200), settings).decision).toBe("keep");
  expect(judgeChallenger(pairsOf(400), settings)).toMatchObject({ decision: "retire", reason: /no significant win/ });
});

test("a significant loss is refused at once", () => {
  expect(judgeChallenger(pairsOf(200, { ratio: 1.1 }), settings)).toMatchObject({
    decision: "retire",
    reason: /^lost/,
  });
});

test("a win that costs coverage is refused", () => {
  const verdict = judgeChallenger(pairsOf(200, { ratio: 0.8, coveredB: 0.6 }), settings);
  expect(verdict).toMatchObject({ decision: "retire", reason: /loses coverage: 6\d\.\d % against/ });
});

test("who beats the champion but not persistence is refused", () => {
  const verdict = judgeChallenger(pairsOf(200, { ratio: 0.8, persistence: 1 }), settings);
  expect(verdict).toMatchObject({ decision: "retire", reason: /worse than persistence/ });
});

test("targets weigh the same whatever their unit", () => {
  const pairs = pairsOf(200).map((pair) =>
    pair.target === "temperature" ? { ...pair, pinballB: pair.pinballA * 0.5 } : pair,
  );
  const worse = pairs.map((pair) => (pair.target === "humidity" ? { ...pair, pinballB: pair.pinballA * 1.1 } : pair));
  expect(judgeChallenger(worse, settings).decision).toBe("promote");
});

test("without a champion persistence is the one to beat", () => {
  expect(judgeAlone(pairsOf(120), settings).decision).toBe("promote");
  expect(judgeAlone(pairsOf(120, { persistence: 0.5 }), settings).decision).toBe("retire");
  expect(judgeAlone(pairsOf(50), settings).decision).toBe("keep");
});
