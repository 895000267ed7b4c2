import type { FleetData } from "./dataset.ts";
import type { Teacher } from "./sensor.ts";

type Numbers = Float64Array | Float32Array | Int32Array | Int16Array | Uint16Array | Uint8Array;

/**
 * Moves what is large of a fleet's data, the sensors' histories and ridge's errors, into memory that several threads
 * read; in place, array by array, so that nothing is there twice. Posting the data to a worker copies the rest alone.
 */
export function shareFleetData(data: FleetData): FleetData {
  for (const { history, errors, path } of data.trainees) for (const one of [history, errors, path]) shareArrays(one);
  for (const { history } of data.panel) shareArrays(history);
  return data;
}

/** The same of a sensor that teaches, for whoever asked for it from another thread. */
export function shareTeacher<Of extends Pick<Teacher, "fit" | "memory">>(teacher: Of): Of {
  for (const one of [teacher.fit.history, teacher.memory]) shareArrays(one);
  return teacher;
}

/** Replaces the typed arrays of plain objects and lists, however deep. */
function shareArrays(holder: object): void {
  const fields = holder as Record<string, unknown>;
  for (const [key, value] of Object.entries(fields)) {
    if (isNumbers(value)) fields[key] = toShared(value);
    else if (typeof value === "object" && value !== null) shareArrays(value);
  }
}

function toShared(values: Numbers): Numbers {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const Kind = values.constructor as new (buffer: SharedArrayBuffer) => Numbers;
  const shared = new Kind(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}

function isNumbers(value: unknown): value is Numbers {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}
