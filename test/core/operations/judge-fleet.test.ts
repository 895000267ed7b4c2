import { expect, test } from "vitest";
import type { PairedScore } from "../../../core/forecast/score.ts";
import { everyLead } from "../../../core/model/leads.ts";
import { defaultPromotionSettings, judgeChallenger } from "../../../core/operations/judge.ts";
import { judgeFleet, toTrial } from "../../../core/operations/judge-fleet.ts";
import { addSeconds } from "../../../core/time.ts";
import { randomOf, someSlot } from "../../builders.ts";

const settings = { ...defaultPromotionSettings(everyLead(4)), minimumMoments: 100, maximumMoments: 400 };

/**
 * A sensor's scores: the challenger's losses are `ratio` times the champion's, beside noise of its own and a weather
 * that all sensors share, of which `weatherGain` says how much better the challenger is in it.
 */
function pairsOf(seed: number, { ratio = 1, moments = 150, unit = 1, weatherGain = 0 } = {}): PairedScore[] {
  const random = randomOf(seed);
  const weather = randomOf(7);
  let storm = 0;
  return Array.from({ length: moments }, (_, i) => {
    storm = 0.6 * storm + (weather() - 0.5);
    const a = unit * (1 + random());
    return {
      target: "temperature",
      targetAt: addSeconds(someSlot, i * 600),
      lead: 1,
      pinballA: a,
      pinballB: Math.max(0, ratio * a + unit * (random() - 0.5) - unit * weatherGain * storm),
      isCoveredA: i % 5 > 0,
      isCoveredB: i % 5 > 0,
      persistenceError: 6 * unit,
    };
  });
}
const trialsOf = (count: number, options: (i: number) => Parameters<typeof pairsOf>[1]) =>
  Array.from({ length: count }, (_, i) => toTrial(`s${i}`, pairsOf(i + 1, options(i)), settings));

test("many sensors decide what none of them can alone", () => {
  const few = { ratio: 0.985 };
  expect(judgeChallenger(pairsOf(1, few), settings).decision).toBe("keep");
  const verdict = judgeFleet(
    trialsOf(40, () => few),
    settings,
  );
  expect(verdict).toMatchObject({
    decision: "promote",
    kept: [],
    reason: expect.stringMatching(/won, .* 40 sensors$/),
  });
});

test("sensors that share their weather are no more than one witness", () => {
  // In a spell that suits the challenger all are better, for hours on end; taken for independent they would win.
  const trials = trialsOf(40, () => ({ ratio: 1, weatherGain: 0.5 }));
  const gains = trials.flatMap(({ moments }) => moments.map(({ a, b }) => a - b));
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
  const variance = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / gains.length;
  expect(Math.abs(mean) / Math.sqrt(variance / gains.length)).toBeGreaterThan(4);
  expect(judgeFleet(trials, settings).decision).toBe("keep");
});

test("a sensor where the version clearly loses keeps its champion", () => {
  const verdict = judgeFleet(
    trialsOf(20, (i) => ({ ratio: i === 3 ? 1.4 : 0.9 })),
    settings,
  );
  expect(verdict.decision).toBe("promote");
  expect(verdict.kept).toEqual([{ sensorId: "s3", reason: expect.stringMatching(/^kept on its champion: lost, p/) }]);
  expect(verdict.reason).toMatch(/20 sensors, 1 of them kept/);
});

test("degrees and per cent weigh the same, and too few moments decide nothing", () => {
  // In its unit the one sensor that loses would outweigh all others.
  const trials = trialsOf(20, (i) => (i === 0 ? { ratio: 1.3, unit: 1000 } : { ratio: 0.95 }));
  expect(judgeFleet(trials, settings)).toMatchObject({ decision: "promote", kept: [{ sensorId: "s0" }] });
  const early = trialsOf(20, () => ({ ratio: 0.5, moments: 99 }));
  expect(judgeFleet(early, settings)).toMatchObject({ decision: "keep", kept: [] });
  expect(judgeFleet([], settings).decision).toBe("keep");
});

test("a version that loses is retired for all", () => {
  const verdict = judgeFleet(
    trialsOf(20, () => ({ ratio: 1.1 })),
    settings,
  );
  expect(verdict).toMatchObject({ decision: "retire", reason: expect.stringMatching(/^lost/), kept: [] });
});
