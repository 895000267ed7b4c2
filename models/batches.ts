import { policy } from "./policy.ts";
import { createRandom } from "./random.ts";

/**
 * Batches without repeats until a pool is used up; a pool holds the newest row surely, one `policy.recentShare` of the
 * rows older by one half, and so on. The seed decides who is in it, and the order.
 */
export function drawBatches(rows: number, seed: number): () => Int32Array {
  const random = createRandom(seed ^ 0x2545f491);
  const size = Math.min(policy.batchRows, rows);
  const halfLife = policy.recentShare * rows;
  const isDrawn = (row: number) => random() < 2 ** 32 * 0.5 ** ((rows - 1 - row) / halfLife);
  let pool: number[] = [];
  let next = 0;
  return () => {
    if (next + size > pool.length) {
      pool = [];
      while (pool.length < size) for (let row = 0; row < rows; row++) if (isDrawn(row)) pool.push(row);
      shuffle(pool, random);
      next = 0;
    }
    next += size;
    return Int32Array.from(pool.slice(next - size, next));
  };
}

/** Fisher and Yates. */
function shuffle(values: number[], random: () => number): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random() % (i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}
