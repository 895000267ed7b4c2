/** The lower triangle of a square matrix, row by row. */
export function triangleOf(square: Float64Array): Float64Array {
  const width = Math.sqrt(square.length);
  const triangle = new Float64Array((width * (width + 1)) / 2);
  for (let i = 0, at = 0; i < width; i++) for (let j = 0; j <= i; j++) triangle[at++] = square[i * width + j]!;
  return triangle;
}

/** The square matrix of a lower triangle, zero above it. */
export function squareOf(triangle: Float64Array): Float64Array {
  const width = Math.floor(Math.sqrt(2 * triangle.length));
  const square = new Float64Array(width * width);
  for (let i = 0, at = 0; i < width; i++) for (let j = 0; j <= i; j++) square[i * width + j] = triangle[at++]!;
  return square;
}
