import { gridLength } from "../core/data/grid.ts";
import { leadPinball } from "../core/data/metrics.ts";
import type { Quantiles } from "../core/data/quantiles.ts";
import { simpleExperts } from "../core/mix/experts.ts";
import { everyLead } from "../core/model/leads.ts";
import type { ShortHistory } from "../core/model/manifest.ts";
import { minimumPoints } from "../core/model/short-history.ts";
import type { TrainResult } from "../core/model/training.ts";
import { policy } from "./policy.ts";
import type { Prepared } from "./prepare.ts";
import type { FirstStage } from "./stages.ts";

export type Choice = { ok: true; stage: FirstStage; shortHistory: ShortHistory | null } | (TrainResult & { ok: false });

/** Errors relative to persistence's, geometric mean over the targets. */
type Figures = ShortHistory["compared"][number];

/** Past that the simple experts see at each origin, in steps. */
const simpleSteps = 1008;
/** What is all but perfect on one target must not stand for all. */
const mostRatio = 1000;

/**
 * Which fit becomes the model. A sensor's own windows alone where nothing was borrowed, or where they did clearly
 * better on its own validation part. Where they are too few to stand alone, a fit that is hopeless there beside what
 * needs no training is none at all. How much better or worse that must be follows the number of windows, as a week of
 * them says little.
 */
export function chooseFit(stages: FirstStage[]): Choice {
  const pooled = stages.find(({ prepared }) => prepared.borrowed.windows > 0);
  const own = stages.find(({ prepared }) => prepared.borrowed.windows === 0);
  if (!pooled) return { ok: true, stage: own!, shortHistory: null };
  const { prepared } = pooled;
  const { horizon, stepSeconds } = prepared.encoding;
  const simple = measureSimple(prepared);
  const withDonors = relative("pooled", pooled.metrics, simple);
  const isWhole = own?.prepared.encoding.targets.length === prepared.encoding.targets.length;
  const alone = isWhole ? relative("own", own.metrics, simple) : null;
  const compared = [withDonors, ...(alone ? [alone] : []), ...simple.figures];
  const validationWindows = prepared.windows.origins.length - prepared.validationRow;
  const clearly = 1 + policy.doubt * Math.sqrt(horizon / validationWindows);
  const isOwn = alone !== null && clearly * alone.pinball < withDonors.pinball;
  const kept = isOwn ? alone : withDonors;
  const best = simple.figures.reduce((a, b) => (b.pinball < a.pinball ? b : a));
  const text = compared.map(({ name, pinball }) => `${name} ${pinball.toFixed(2)}`).join(", ");
  const figures = `pinball loss on ${validationWindows} own windows beside persistence's: ${text}`;
  if (!alone && kept.pinball > clearly * best.pinball) {
    const message = `no fit comes near ${best.name}: ${figures}; waits for readings`;
    const have = gridLength(prepared.grid);
    const need = Math.max(have + horizon, minimumPoints(stepSeconds, horizon, false));
    return { ok: false, reason: "shortHistory", message, have, need };
  }
  const days = Math.round(100 * daysOf(prepared)) / 100;
  const lenders = prepared.borrowed.donors.length;
  const what = isOwn
    ? `refuses the windows of ${lenders} other sensors`
    : `learns from ${lenders} other sensors as well`;
  return {
    ok: true,
    stage: isOwn ? own! : pooled,
    shortHistory: {
      days,
      kept: isOwn ? "own" : "pooled",
      reason: `${days} days of history: ${what}; ${figures}`,
      validationWindows,
      compared,
      donors: prepared.borrowed.donors,
      donorWindows: prepared.borrowed.windows,
    },
  };
}

function daysOf({ grid }: Prepared): number {
  return (gridLength(grid) * grid.stepSeconds) / 86_400;
}

type Simple = { persistence: Map<string, { mae: number; pinball: number }>; figures: Figures[] };

/** What needs no training, on the validation windows: MAE and pinball of persistence per target, and both beside it. */
function measureSimple({ grid, encoding, windows, validationRow }: Prepared): Simple {
  const { targets, horizon, stepSeconds } = encoding;
  const origins = windows.origins.subarray(validationRow);
  const persistence: Simple["persistence"] = new Map();
  const ratios: { mae: number; pinball: number }[] = [];
  targets.forEach((target, k) => {
    const column = grid.columns[k]!;
    const sums = { persistence: newSum(), climatology: newSum() };
    for (const origin of origins) {
      if (Number.isNaN(column[origin]!)) continue;
      const past = column.subarray(Math.max(0, origin + 1 - simpleSteps), origin + 1);
      const made = simpleExperts(past, past.length - 1, everyLead(horizon), stepSeconds, target);
      const actual = column.subarray(origin + 1, origin + 1 + horizon);
      addErrors(sums.persistence, made.persistence, actual);
      addErrors(sums.climatology, made.climatology ?? made.persistence, actual);
    }
    if (sums.persistence.count === 0) return;
    const { count } = sums.persistence;
    persistence.set(target.name, { mae: sums.persistence.mae / count, pinball: sums.persistence.pinball / count });
    ratios.push({
      mae: ratioOf(sums.climatology.mae, sums.persistence.mae),
      pinball: ratioOf(sums.climatology.pinball, sums.persistence.pinball),
    });
  });
  const climatology = { name: "climatology", mae: mean(ratios, "mae"), pinball: mean(ratios, "pinball") };
  return { persistence, figures: [climatology, { name: "persistence", mae: 1, pinball: 1 }] };
}

type Sum = { count: number; mae: number; pinball: number };
const newSum = (): Sum => ({ count: 0, mae: 0, pinball: 0 });

function addErrors(sum: Sum, made: Quantiles, actual: Float64Array): void {
  actual.forEach((value, h) => {
    if (Number.isNaN(value)) return;
    sum.count++;
    sum.mae += Math.abs(value - made.q50[h]!);
    sum.pinball += leadPinball(made, h, value);
  });
}

function relative(name: string, metrics: FirstStage["metrics"], { persistence }: Simple): Figures {
  const ratios = Object.entries(metrics).flatMap(([target, { mae, pinball }]) => {
    const reference = persistence.get(target);
    return reference && mae !== undefined && pinball !== undefined
      ? [{ mae: ratioOf(mae, reference.mae), pinball: ratioOf(pinball, reference.pinball) }]
      : [];
  });
  return { name, mae: mean(ratios, "mae"), pinball: mean(ratios, "pinball") };
}

function ratioOf(error: number, reference: number): number {
  if (error === reference) return 1;
  return Math.min(mostRatio, Math.max(1 / mostRatio, error / reference));
}

function mean(ratios: { mae: number; pinball: number }[], key: "mae" | "pinball"): number {
  const logs = ratios.reduce((sum, one) => sum + Math.log(one[key]), 0);
  return ratios.length === 0 ? 1 : Math.exp(logs / ratios.length);
}
