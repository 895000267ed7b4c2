// Whether the tiles are made of pairs of adjacent vectors, twice as large, for a JavaScript engine that joins such
// pairs to one 256-bit vector (V8's revectoriser). Every value is computed by the same operations in the same order
// either way: same bits.
export let wide: bool = false;

/** Chooses the tiles; the loader decides. */
export function setWide(on: bool): void {
  wide = on;
}
