import { pinballLoss } from "../../core/data/metrics.ts";
import type { RidgeValidation } from "../../core/model/fleet/training.ts";
import { type FarFeatures, type NormalEquations, predictRidge, type Regression, solveLeads } from "../ridge/linear.ts";

/** Penalties tried per lead, times the number of rows. */
const ridgePenalties = [1e-4, 1e-3, 1e-2, 1e-1, 1];
const fallbackPenalty = 1e-2;
const leastJudges = 24;

/**
 * Per lead the penalty with the smallest MAE on the validation part, as far as there is one; `train`: the sums of the
 * rows before it.
 */
export function choosePenalties(
  data: Regression,
  far: FarFeatures,
  train: NormalEquations | null,
  validationRow: number,
  rows: number,
): { penalties: Float64Array; validation: RidgeValidation | null } {
  const penalties = new Float64Array(data.leads).fill(fallbackPenalty);
  if (train === null || rows - validationRow < leastJudges) return { penalties, validation: null };
  const every = Array.from({ length: data.leads }, (_, h) => h);
  const best = new Float64Array(data.leads).fill(Number.POSITIVE_INFINITY);
  const chosen = new Float64Array((rows - validationRow) * data.leads);
  for (const penalty of ridgePenalties) {
    const weights = solveLeads(train, new Float64Array(data.leads).fill(penalty), every, far);
    const predicted = predictRidge(data, weights, validationRow, rows);
    for (let h = 0; h < data.leads; h++) {
      let sum = 0;
      let count = 0;
      for (let r = validationRow; r < rows; r++) {
        const error = data.wanted[r * data.leads + h]! - predicted[(r - validationRow) * data.leads + h]!;
        if (Number.isNaN(error)) continue;
        sum += Math.abs(error);
        count++;
      }
      if (count === 0 || sum / count >= best[h]!) continue;
      best[h] = sum / count;
      penalties[h] = penalty;
      for (let i = h; i < chosen.length; i += data.leads) chosen[i] = predicted[i]!;
    }
  }
  return { penalties, validation: validate(data, far.lead, chosen, validationRow, rows) };
}

/**
 * How ridge with `penalty` does on the rows from `validationRow` on, fitted on the sums of those before; null where
 * they are too few.
 */
export function judgeRidge(
  data: Regression,
  far: FarFeatures,
  train: NormalEquations | null,
  penalty: number,
  validationRow: number,
  rows: number,
): RidgeValidation | null {
  if (train === null || rows - validationRow < leastJudges) return null;
  const every = Array.from({ length: data.leads }, (_, h) => h);
  const weights = solveLeads(train, new Float64Array(data.leads).fill(penalty), every, far);
  return validate(data, far.lead, predictRidge(data, weights, validationRow, rows), validationRow, rows);
}

/**
 * How ridge does at the first `near` leads: far errors would drown the near ones. Its bands on the validation part are
 * those of a normal distribution as wide as its errors there: no better are known yet.
 */
function validate(
  data: Regression,
  near: number,
  predicted: Float64Array,
  from: number,
  to: number,
): RidgeValidation | null {
  const { leads, wanted } = data;
  const errors = new Float64Array((to - from) * near);
  let [count, absolute, squares, changes] = [0, 0, 0, 0];
  for (let r = from; r < to; r++) {
    for (let h = 0; h < near; h++) {
      const change = wanted[r * leads + h]!;
      const error = change - predicted[(r - from) * leads + h]!;
      if (Number.isNaN(error)) continue;
      errors[count++] = error;
      absolute += Math.abs(error);
      squares += error * error;
      changes += Math.abs(change);
    }
  }
  if (count === 0) return null;
  const spread = 1.2816 * Math.sqrt(squares / count);
  let loss = 0;
  for (let i = 0; i < count; i++) {
    const error = errors[i]!;
    loss += pinballLoss(error + spread, 0.1) + pinballLoss(error, 0.5) + pinballLoss(error - spread, 0.9);
  }
  return { mae: absolute / count, pinball: loss / 3 / count, persistenceMae: changes / count };
}
