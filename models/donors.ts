import { type Grid, gridLength, gridTime } from "../core/data/grid.ts";
import { clip, type Target } from "../core/data/reading.ts";
import { type History, prepare } from "../core/model/features.ts";
import { linkOf, toLink } from "../core/model/link.ts";
import { minimumLentPoints } from "../core/model/short-history.ts";
import type { Encoding } from "../core/model/spec.ts";
import { policy } from "./policy.ts";
import { judgeColumn } from "./usable.ts";
import { seriesScaler, usableOrigins, type WindowRow } from "./windows.ts";

/** A sensor's series on the grid. */
export type DonorGrid = { sensorId: string; grid: Grid };

/**
 * A donor that can lend: its series in the columns of the targets to be learnt, without holes and on their links'
 * scales.
 */
export type Lender = DonorGrid & { history: History; character: Character };

/** A donor's window and the moment of its origin, epoch ms. */
export type LentRow = WindowRow & { at: number };

/** Level and liveliness of a sensor, per target, on its link's scale: what `seriesScaler` says of its series. */
type Character = { mean: number[]; change: number[] };

/**
 * The donors whose targets are all good enough, `pick` chooses and orders the columns; none when all of them together
 * know too little.
 */
export function lendersOf(
  donors: DonorGrid[],
  targets: Target[],
  horizon: number,
  pick: (grid: Grid) => Grid,
): Lender[] {
  const lenders = donors.flatMap(({ sensorId, grid: whole }) => {
    const grid = pick(whole);
    const length = gridLength(grid);
    const need = minimumLentPoints(grid.stepSeconds, horizon);
    const isGood = targets.every((target, k) => judgeColumn(grid, k, target, { trainEnd: length, need }) === null);
    if (!isGood) return [];
    const history = prepare(grid, targets.map(linkOf));
    return [{ sensorId, grid, history, character: seriesScaler(history, length) }];
  });
  const steps = lenders.reduce((sum, { grid }) => sum + gridLength(grid), 0);
  const days = lenders.reduce((sum, { grid }) => sum + (gridLength(grid) * grid.stepSeconds) / 86_400, 0);
  return steps >= policy.leastLentSteps && days >= policy.leastLentDays ? lenders : [];
}

/**
 * How far a sensor's liveliness is believed rather than that of its donors, per target, 0 to 1: a day of it may have
 * been a quiet one, yet a sensor that is quite unlike all others is. Shrinkage after James & Stein, of logarithms: the
 * noise of the own figure falls with the days, its spread is that of the donors, or more where the distance itself
 * tells so.
 */
export function trustInOwn(own: number[], lenders: Lender[], days: number): number[] {
  const noise = policy.livelinessNoise ** 2 / days;
  return own.map((change, k) => {
    const logs = lenders.map(({ character }) => Math.log(character.change[k]!));
    const middle = logs.reduce((sum, log) => sum + log, 0) / logs.length;
    const spread = logs.reduce((sum, log) => sum + (log - middle) ** 2, 0) / logs.length;
    const distance = (Math.log(change) - middle) ** 2;
    return Math.max(spread / (spread + noise), 1 - noise / Math.max(noise, distance));
  });
}

/** The liveliness that the sensor is given: a geometric mean of its own and of its donors'. */
export function blendLiveliness(own: number[], lenders: Lender[], trust: number[]): number[] {
  return own.map((change, k) => {
    const usual = lenders.reduce((sum, { character }) => sum + Math.log(character.change[k]!), 0) / lenders.length;
    return Math.exp(trust[k]! * Math.log(change) + (1 - trust[k]!) * usual);
  });
}

/**
 * Windows of the donors, in time order, with their series moved to the sensor's level and, as far as that is trusted,
 * to its liveliness: x' = mean + (x - theirMean) (change / theirChange)^trust, kept inside the target's range.
 */
export function borrowWindows(
  lenders: Lender[],
  own: Character,
  trust: number[],
  { targets, horizon }: Pick<Encoding, "targets" | "horizon">,
  lookBack: number,
): LentRow[] {
  const most = Math.floor(policy.borrowedWindows / lenders.length);
  const rows = lenders.flatMap(({ grid, history: measured, character: theirs }) => {
    const values = measured.values.map((column, k) => {
      const factor = (own.change[k]! / theirs.change[k]!) ** trust[k]!;
      const range = rangeOnLink(targets[k]!);
      return column.map((value) => clip(own.mean[k]! + (value - theirs.mean[k]!) * factor, range));
    });
    const history = { ...measured, values };
    const length = gridLength(grid);
    const first = Math.min(...history.isImputed.map((flags) => flags.indexOf(0)));
    const from = first + Math.min(lookBack - 1, Math.floor((length - first) / 4));
    const origins = usableOrigins(history, horizon, from, length, length, most);
    return Array.from(origins, (origin) => ({ history, origin, at: gridTime(grid, origin).getTime() }));
  });
  return rows.sort((a, b) => a.at - b.at);
}

function rangeOnLink(target: Target): { min: number; max: number } {
  const link = linkOf(target);
  return { min: toLink(link, target.min), max: toLink(link, target.max) };
}
