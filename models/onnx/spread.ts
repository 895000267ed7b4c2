/** [levels, levels]: level = middle -+ the widths from the middle up to it. */
export function spreadMatrix(levels: number): Float64Array {
  const sides = (levels - 1) / 2;
  const matrix = new Float64Array(levels * levels);
  for (let level = 0; level < levels; level++) {
    matrix[level * levels] = 1;
    for (let side = 1; side <= sides - level; side++) matrix[level * levels + side] = -1;
    for (let side = 1; side <= level - sides; side++) matrix[level * levels + sides + side] = 1;
  }
  return matrix;
}
