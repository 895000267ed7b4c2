import { type Grid, gridLength, gridTime } from "../core/data/grid.ts";
import { sha256Of } from "../core/model/sha256.ts";

/** Readable, unique for its contents, and safe as a file name: sensor, last day of training, digest. */
export function modelId(sensorId: string, to: Date, digest: string): string {
  const name = sensorId.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "sensor";
  const day = to.toISOString().slice(0, 10).replaceAll("-", "");
  return `${name.slice(0, 64)}-${day}-${digest.slice(0, 10)}`;
}

/**
 * The receipt's hash of the data: start, step, and the grid's values as float32, so that neither the order of readings
 * nor that of a sum matters.
 */
export async function gridSha256(grid: Grid): Promise<string> {
  const head = new TextEncoder().encode(JSON.stringify([grid.startAt, grid.stepSeconds, grid.columns.length]));
  const length = gridLength(grid);
  const bytes = new Uint8Array(head.length + 4 * length * grid.columns.length);
  bytes.set(head);
  const view = new DataView(bytes.buffer);
  grid.columns.forEach((column, k) => {
    for (let i = 0; i < length; i++) view.setFloat32(head.length + 4 * (k * length + i), column[i]!, true);
  });
  return sha256Of(bytes);
}

/** Time of the first and of the last grid point. */
export function rangeOf(grid: Grid): { from: Date; to: Date } {
  return { from: grid.startAt, to: gridTime(grid, gridLength(grid) - 1) };
}
