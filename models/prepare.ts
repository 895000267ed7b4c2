import { type Grid, gridIndex, gridLength, gridTime, toGrid } from "../core/data/grid.ts";
import type { Target } from "../core/data/reading.ts";
import { type History, prepare } from "../core/forecast/features.ts";
import { linkOf } from "../core/forecast/link.ts";
import { defaultContextLength, defaultSpec, type Encoding, historyLength } from "../core/forecast/spec.ts";
import type { TrainRequest, Untrained } from "../core/ports.ts";
import { addSeconds } from "../core/time.ts";
import { policy } from "./policy.ts";
import { judgeColumn } from "./usable.ts";
import { encodeWindows, seriesScaler, usableOrigins, type Windows } from "./windows.ts";

/** What a model can be fitted on: windows in time order, the first `trainRows` of them wholly in the training part. */
export type Prepared = {
  grid: Grid;
  encoding: Encoding;
  historyLength: number;
  windows: Windows;
  trainRows: number;
  /** First row of the validation part; rows between reach over the border and belong to the refit only. */
  validationRow: number;
  trainDays: number;
  untrained: Untrained[];
};

const trainShare = 7 / 8;

/** Turns a request into windows, leaving out the targets that cannot be learnt; refuses when none is left. */
export function prepareTraining(request: TrainRequest): Prepared | Untrained {
  const { targets, stepSeconds, horizon } = request;
  const whole = toTrainingGrid(request);
  const trainEnd = trainLength(whole, request.trainEnd);
  const verdicts = targets.map((target, k) => judgeColumn(whole.columns[k]!.subarray(0, trainEnd), target, horizon));
  const untrained = verdicts.filter((verdict) => verdict !== null);
  const learnt = targets.map((_, k) => k).filter((k) => verdicts[k] === null);
  if (learnt.length === 0) return untrained[0] ?? noTarget;

  const grid: Grid = { ...whole, columns: learnt.map((k) => whole.columns[k]!) };
  const history = prepare(
    grid,
    learnt.map((k) => linkOf(targets[k]!)),
  );
  const { encoding, need } = encodingFor(
    history,
    learnt.map((k) => targets[k]!),
    trainEnd,
    request,
  );
  const length = gridLength(grid);
  const first = firstMeasured(history);
  // A quarter of the training part at most is spent on looking back; features that look further are missing there.
  const from = first + Math.min(need - 1, Math.floor((trainEnd - first) / 4));
  const origins = usableOrigins(history, horizon, from, length, length, policy.maximumWindows);
  const trainRows = origins.filter((origin) => origin + horizon < trainEnd).length;
  const validationRow = origins.filter((origin) => origin < trainEnd).length;
  const validationRows = origins.length - validationRow;
  if (trainRows < policy.minimumTrainWindows || validationRows < policy.minimumValidationWindows) {
    return tooFew(targets[learnt[0]!]!, trainRows, validationRows);
  }
  const { windows, scaler } = encodeWindows(history, origins, encoding, trainRows);
  const trainDays = (trainRows * stepSeconds * stride(origins)) / 86_400;
  return {
    grid,
    encoding: { ...encoding, scaler },
    historyLength: need,
    windows,
    trainRows,
    validationRow,
    trainDays,
    untrained,
  };
}

const noTarget: Untrained = { target: "", reason: "gap", message: "no target to learn", have: 0, need: 1 };

function tooFew(target: Target, trainRows: number, validationRows: number): Untrained {
  const { minimumTrainWindows, minimumValidationWindows } = policy;
  const windows = `${trainRows} of ${minimumTrainWindows} windows to train on, ${validationRows} of ${minimumValidationWindows} to choose on`;
  return {
    target: target.name,
    reason: "shortHistory",
    message: `${windows}; waits for readings`,
    have: trainRows + validationRows,
    need: minimumTrainWindows + minimumValidationWindows,
  };
}

/** The readings up to `now`; at most `maximumHistory` points back, so that one stray time cannot fill the memory. */
function toTrainingGrid({ readings, targets, stepSeconds, now }: TrainRequest): Grid {
  const earliest = addSeconds(now, -policy.maximumHistory * stepSeconds).getTime();
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const at of readings.at) {
    if (!(at >= earliest && at <= now.getTime())) continue;
    if (at < first) first = at;
    if (at > last) last = at;
  }
  if (last < first) return { startAt: now, stepSeconds, columns: targets.map(() => new Float64Array(0)) };
  // The last point is whole only when its time has come.
  const upTo = Math.min(now.getTime(), Math.ceil(last / (stepSeconds * 1000)) * stepSeconds * 1000);
  return toGrid(readings, targets, stepSeconds, { from: new Date(first), upTo: new Date(upTo) });
}

/** Points of the training part: up to `trainEnd`, else 7/8 of the points with any measurement. */
function trainLength(grid: Grid, trainEnd: Date | undefined): number {
  const length = gridLength(grid);
  if (trainEnd !== undefined) return Math.max(0, Math.min(length, gridIndex(grid, trainEnd) + 1));
  const measured: number[] = [];
  for (let i = 0; i < length; i++) if (grid.columns.some((column) => !Number.isNaN(column[i]!))) measured.push(i);
  return (measured[Math.floor(trainShare * measured.length)] ?? -1) + 1;
}

function encodingFor(
  history: History,
  targets: Target[],
  trainEnd: number,
  { stepSeconds, horizon }: TrainRequest,
): { encoding: Encoding; need: number } {
  const span = trainEnd - firstMeasured(history);
  const contextLength = defaultContextLength;
  const features = defaultSpec(stepSeconds, span, horizon, targets, contextLength);
  const none = { center: [], scale: [] };
  const scaler = { ...seriesScaler(history, trainEnd), linear: none, branch: none };
  return {
    encoding: { contextLength, targets, stepSeconds, horizon, features, scaler },
    need: historyLength(features, contextLength, stepSeconds),
  };
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

/** Time of the first and of the last grid point. */
export function rangeOf(grid: Grid): { from: Date; to: Date } {
  return { from: grid.startAt, to: gridTime(grid, gridLength(grid) - 1) };
}
