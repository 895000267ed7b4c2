/**
 * What squared error needs to know of forecasts of one thing over some rows: the sums of their products with each
 * other, `gram` [forecasts][forecasts], and with what came, `product` [forecasts].
 */
export type ForecastSums = { gram: number[][]; product: number[] };

const mostRounds = 200;
/** Standard errors that the first forecast's share is less by. */
const caution = 0.5;

/**
 * Shares of the forecasts, none below 0 and together at most 1, whose sum has the least squared error (stacking,
 * Breiman 1996); what is left over says 0. The first forecast is believed only as far as pieces of time agree that it
 * should be: less by half the standard error of its share, as leaving out one piece after the other tells (jackknife).
 * It says nothing where there are fewer than two pieces.
 */
export function stackCautiously(pieces: ForecastSums[]): number[] {
  const all = addAll(pieces);
  const none = all.product.map(() => 0);
  const free = leastSquares(all, none);
  const doubt = pieces.length < 2 ? free[0]! : caution * firstError(pieces, free);
  return leastSquares(all, none.with(0, Math.max(0, free[0]! - doubt)), 1);
}

/** Standard error of the first share. */
function firstError(pieces: ForecastSums[], free: number[]): number {
  const without = pieces.map((piece) => leastSquares(addAll(pieces.filter((one) => one !== piece)), free)[0]!);
  const mean = without.reduce((sum, share) => sum + share, 0) / without.length;
  const spread = without.reduce((sum, share) => sum + (share - mean) ** 2, 0);
  return Math.sqrt(((without.length - 1) / without.length) * spread);
}

/** Shares of least squared error from the start `shares` on, of which the first `fixed` stay. */
function leastSquares({ gram, product }: ForecastSums, shares: number[], fixed = 0): number[] {
  const found = [...shares];
  // Share moves between two at a time, of which one may be the forecast of 0, which comes last.
  const zero = product.length;
  found.push(1 - found.reduce((sum, share) => sum + share, 0));
  const at = (i: number, j: number) => gram[i]?.[j] ?? 0;
  const slope = (i: number) => (product[i] ?? 0) - product.reduce((sum, _, j) => sum + at(i, j) * found[j]!, 0);
  for (let round = 0; round < mostRounds; round++) {
    let moved = 0;
    for (let i = fixed; i < zero; i++) {
      for (let j = i + 1; j <= zero; j++) {
        const curve = at(i, i) + at(j, j) - 2 * at(i, j);
        if (!(curve > 0)) continue;
        const move = Math.max(-found[i]!, Math.min(found[j]!, (slope(i) - slope(j)) / curve));
        found[i]! += move;
        found[j]! -= move;
        moved = Math.max(moved, Math.abs(move));
      }
    }
    if (moved < 1e-6) break;
  }
  return found.slice(0, zero);
}

function addAll(pieces: ForecastSums[]): ForecastSums {
  const size = pieces[0]!.product.length;
  const sum = (pick: (piece: ForecastSums) => number) => pieces.reduce((total, piece) => total + pick(piece), 0);
  return {
    gram: Array.from({ length: size }, (_, i) =>
      Array.from({ length: size }, (_, j) => sum(({ gram }) => gram[i]![j]!)),
    ),
    product: Array.from({ length: size }, (_, i) => sum(({ product }) => product[i]!)),
  };
}
