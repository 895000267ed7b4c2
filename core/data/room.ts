type Numbers = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

/**
 * Room for numbers that are done with at once, as a cycle works out thousands of them: the same array whenever it is
 * long enough. What it gives holds until the next call, and begins with whatever stood there.
 */
export function roomOf<Own extends Numbers>(Kind: new (length: number) => Own): (length: number) => Own {
  let room = new Kind(0);
  return (length) => {
    if (room.length < length) room = new Kind(length);
    return room.subarray(0, length) as Own;
  };
}
