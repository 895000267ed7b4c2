import { type Grid, gridLength, gridTime } from "../core/data/grid.ts";
import type { Target } from "../core/data/reading.ts";
import { type History, prepare } from "../core/model/features.ts";
import { linkOf } from "../core/model/link.ts";
import type { Scaler } from "../core/model/manifest.ts";
import { minimumPoints } from "../core/model/short-history.ts";
import { defaultContextLength, defaultSpec, type Encoding, historyLength } from "../core/model/spec.ts";
import type { TrainRequest, Untrained } from "../core/model/training.ts";
import { blendLiveliness, borrowWindows, type DonorGrid, lendersOf, trustInOwn } from "./donors.ts";
import { policy } from "./policy.ts";
import { toTrainingGrid, trainLength } from "./training-grid.ts";
import { judgeColumn } from "./usable.ts";
import { encodeWindows, seriesScaler, usableOrigins, type WindowRow, type Windows } from "./windows.ts";

/**
 * What a model can be fitted on: windows in time order, borrowed before own; the first `trainRows` lie wholly in the
 * training part.
 */
export type Prepared = {
  grid: Grid;
  encoding: Encoding;
  historyLength: number;
  windows: Windows;
  trainRows: number;
  /**
   * First row of the validation part, the sensor's own; rows between reach over the border and belong to the refit
   * only.
   */
  validationRow: number;
  /** Days of its own. */
  trainDays: number;
  untrained: Untrained[];
  borrowed: { donors: string[]; windows: number };
};

/**
 * Turns a request into windows, leaving out the targets that cannot be learnt; refuses when none is left. With `donors`
 * their windows, made to look like this sensor's, come before its own.
 */
export function prepareTraining(request: TrainRequest, donors: DonorGrid[] = []): Prepared | Untrained {
  const { targets, stepSeconds, horizon } = request;
  const isPooled = donors.length > 0;
  const whole = toTrainingGrid(request, request.readings);
  const length = gridLength(whole);
  const trainEnd = trainLength(whole, request.trainEnd, horizon);
  const need = minimumPoints(stepSeconds, horizon, isPooled);
  const verdicts = targets.map((target, k) => judgeColumn(whole, k, target, { trainEnd, need }));
  const untrained = verdicts.filter((verdict) => verdict !== null);
  const learnt = targets.map((_, k) => k).filter((k) => verdicts[k] === null);
  if (learnt.length === 0) return untrained[0] ?? noTarget;

  const learntTargets = learnt.map((k) => targets[k]!);
  const pick = (grid: Grid): Grid => ({ ...grid, columns: learnt.map((k) => grid.columns[k]!) });
  const grid = pick(whole);
  const links = learntTargets.map(linkOf);
  const lenders = lendersOf(donors, learntTargets, horizon, pick);
  if (isPooled && lenders.length === 0) return noLender(learntTargets[0]!, donors.length);
  const history = prepare(grid, links);
  const first = firstMeasured(history);
  const days = ((length - first) * stepSeconds) / 86_400;
  // Of its level and liveliness a short history tells as much as it can: with what is left to choose on.
  const character = seriesScaler(history, isPooled ? length : trainEnd);
  const trust = isPooled ? trustInOwn(character.change, lenders, days) : [];
  const encoding = encodingFor(
    learntTargets,
    request,
    {
      ...character,
      change: isPooled ? blendLiveliness(character.change, lenders, trust) : character.change,
    },
    {
      historySteps: (isPooled ? length : trainEnd) - first,
      lentSteps: lenders.map((donor) => gridLength(donor.grid)),
    },
  );
  const lookBack = historyLength(encoding.features, encoding.contextLength, stepSeconds);
  // A quarter of the training part at most is spent on looking back; features that look further are missing there.
  const from = first + Math.min(lookBack - 1, Math.floor((trainEnd - first) / 4));
  const origins = usableOrigins(history, horizon, from, length, length, policy.maximumWindows);
  const lent = isPooled ? borrowWindows(lenders, character, trust, encoding, lookBack) : [];
  // What is chosen on the validation part must not have seen its time, at a donor's neither.
  const border = gridTime(grid, trainEnd).getTime() - horizon * stepSeconds * 1000;
  const early = lent.filter(({ at }) => at < border);
  const own = (some: Int32Array): WindowRow[] => Array.from(some, (origin) => ({ history, origin }));
  const ownTrain = origins.filter((origin) => origin + horizon < trainEnd);
  const between = origins.filter((origin) => origin + horizon >= trainEnd && origin < trainEnd);
  const validation = origins.filter((origin) => origin >= trainEnd);
  const trainRows = early.length + ownTrain.length;
  const least = isPooled ? 1 : policy.minimumValidationWindows;
  if (trainRows < policy.minimumTrainWindows || validation.length < least) {
    return tooFew(learntTargets[0]!, trainRows, validation.length, least);
  }
  const list = [...early, ...own(ownTrain), ...lent.slice(early.length), ...own(between), ...own(validation)];
  const { windows, scaler } = encodeWindows(list, encoding, trainRows);
  return {
    grid,
    encoding: { ...encoding, scaler },
    historyLength: lookBack,
    windows,
    trainRows,
    validationRow: list.length - validation.length,
    trainDays: (ownTrain.length * stepSeconds * stride(origins)) / 86_400,
    untrained,
    borrowed: { donors: lenders.map(({ sensorId }) => sensorId), windows: lent.length },
  };
}

const noTarget: Untrained = { target: "", reason: "gap", message: "no target to learn", have: 0, need: 1 };

function noLender({ name }: Target, have: number): Untrained {
  const message = `${name}: the good readings of ${have} other sensors are too few to lend; waits for them`;
  return { target: name, reason: "shortHistory", message, have: 0, need: 1 };
}

function tooFew(target: Target, trainRows: number, validationRows: number, least: number): Untrained {
  const { minimumTrainWindows } = policy;
  const windows = `${trainRows} of ${minimumTrainWindows} windows to train on, ${validationRows} of ${least} to choose on`;
  return {
    target: target.name,
    reason: "shortHistory",
    message: `${windows}; waits for readings`,
    have: trainRows + validationRows,
    need: minimumTrainWindows + least,
  };
}

/** The encoding, its scaler without the features' part. The history that is missing is stood for by the donors', of
 * which half of what is lent is at least as long. */
function encodingFor(
  targets: Target[],
  { stepSeconds, horizon }: TrainRequest,
  scaler: Omit<Scaler, "linear" | "branch">,
  { historySteps, lentSteps }: { historySteps: number; lentSteps: number[] },
): Encoding {
  const contextLength = defaultContextLength;
  const taughtSteps = Math.max(historySteps, weightedMedian(lentSteps));
  const features = defaultSpec(stepSeconds, historySteps, horizon, targets, contextLength, taughtSteps);
  const none = { center: [], scale: [] };
  return { contextLength, targets, stepSeconds, horizon, features, scaler: { ...scaler, linear: none, branch: none } };
}

/** The length that half of the sum of all lengths does not exceed. */
function weightedMedian(lengths: number[]): number {
  const ascending = lengths.toSorted((a, b) => a - b);
  let rest = lengths.reduce((sum, length) => sum + length, 0) / 2;
  for (const length of ascending) {
    rest -= length;
    if (rest <= 0) return length;
  }
  return 0;
}

function firstMeasured({ isImputed }: History): number {
  return Math.min(...isImputed.map((flags) => flags.indexOf(0)));
}

/** Grid steps between neighbouring origins, more than 1 where they were thinned; gaps do not count. */
function stride(origins: Int32Array): number {
  const steps = Array.from({ length: origins.length - 1 }, (_, i) => origins[i + 1]! - origins[i]!).sort(
    (a, b) => a - b,
  );
  return steps[Math.floor(steps.length / 2)] ?? 1;
}
