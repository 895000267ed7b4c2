/**
 * Rows that are gathered before they are added; odd in cache lines, so that neighbouring columns do not share places.
 */
export const blockRows = 264;

/** Sums of products over rows of `width` columns X and `leads` columns y, which are gathered block by block. */
export type Sums = {
  /**
   * One block, column by column: value of column c in row i at c * blockRows + i. The columns of y begin at
   * `firstLead`.
   */
  readonly columns: Float64Array;
  readonly firstLead: number;
  /** The place of the next row in its columns; every column must be written. */
  nextRow(): number;
  /** Over all rows: `gram` X'X [width, width], lower triangle, and `product` y'X [leads, width]. */
  total(): { gram: Float64Array; product: Float64Array };
};

/** Empty sums. Each sum is taken in the order of the rows, whatever the block: the same bits as adding row by row. */
export function createSums(width: number, leads: number): Sums {
  // Padded with columns of zeros to whole tiles of 2 x 4.
  const firstLead = 4 * Math.ceil(width / 4);
  const height = firstLead + 2 * Math.ceil(leads / 2);
  const sums = new Float64Array(height * firstLead);
  const columns = new Float64Array(height * blockRows);
  let filled = 0;

  function addBlock(): void {
    for (let i = 0; i < height; i += 2) {
      const end = i < firstLead ? i + 1 : firstLead;
      for (let j = 0; j < end; j += 4) addTile(sums, columns, i, j, firstLead, filled);
    }
    filled = 0;
  }

  function rowsOf(first: number, count: number): Float64Array {
    const out = new Float64Array(count * width);
    for (let i = 0; i < count; i++) {
      const start = (first + i) * firstLead;
      out.set(sums.subarray(start, start + width), i * width);
    }
    return out;
  }

  return {
    columns,
    firstLead,
    nextRow: () => {
      if (filled === blockRows) addBlock();
      return filled++;
    },
    total: () => {
      addBlock();
      return { gram: rowsOf(0, width), product: rowsOf(firstLead, leads) };
    },
  };
}

/**
 * Adds the products of columns i, i + 1 with columns j to j + 3 over the first `rows` rows: eight sums in registers.
 */
function addTile(sums: Float64Array, columns: Float64Array, i: number, j: number, width: number, rows: number): void {
  const upper = i * width + j;
  const lower = upper + width;
  let u0 = sums[upper]!;
  let u1 = sums[upper + 1]!;
  let u2 = sums[upper + 2]!;
  let u3 = sums[upper + 3]!;
  let l0 = sums[lower]!;
  let l1 = sums[lower + 1]!;
  let l2 = sums[lower + 2]!;
  let l3 = sums[lower + 3]!;
  const left = i * blockRows;
  const right = j * blockRows;
  for (let r = 0; r < rows; r++) {
    const u = columns[left + r]!;
    const l = columns[left + blockRows + r]!;
    const at = right + r;
    const a = columns[at]!;
    const b = columns[at + blockRows]!;
    const c = columns[at + 2 * blockRows]!;
    const d = columns[at + 3 * blockRows]!;
    u0 += u * a;
    u1 += u * b;
    u2 += u * c;
    u3 += u * d;
    l0 += l * a;
    l1 += l * b;
    l2 += l * c;
    l3 += l * d;
  }
  sums.set([u0, u1, u2, u3], upper);
  sums.set([l0, l1, l2, l3], lower);
}
