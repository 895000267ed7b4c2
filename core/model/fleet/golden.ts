import { AppError } from "../../errors.ts";
import type { FleetGraph } from "./manifest.ts";
import { type PartFile, partDims } from "./part-file.ts";
import { decodeTensors, encodeTensors } from "./tensor-file.ts";

/**
 * What a fleet's graph is run on for one sensor: `sequence` [contextLength, channels], `features` [features],
 * standardised, and `changes` [targets, leads], ridge's; with the sensor's part.
 */
export type FleetRow = {
  part: Pick<PartFile, "sensorId" | "tensors">;
  sequence: Float32Array;
  features: Float32Array;
  changes: Float32Array;
};

/** Rows and the quantiles [leads, targets, quantiles] that the training engine made of them. */
export type FleetGolden = { rows: FleetRow[]; quantiles: Float32Array[]; tolerance: number };

/** The graph's inputs by name with their dims, without the batch's. */
export function graphInputs(graph: FleetGraph): Record<string, number[]> {
  const { contextLength, channels, features, targets, leads, quantiles } = graph;
  const { ridge: _, ...own } = partDims(graph);
  return {
    ...{ sequence: [contextLength, channels], features: [features], changes: [targets, leads] },
    ...{ ...own, residualScale: [leads, targets, 1], widths: [leads, targets, quantiles.length - 1] },
  };
}

/** A row's numbers for one of the graph's inputs. */
export function inputOf({ part, ...own }: FleetRow, name: string): Float32Array {
  const values = name === "sequence" || name === "features" || name === "changes" ? own[name] : part.tensors[name];
  return values ?? new Float32Array();
}

/**
 * The golden vectors' file; `tolerance` is in residual scales. What float16 holds exactly lies as float16: rows may be
 * made so, and take half the bytes.
 */
export function encodeGolden({ rows, quantiles, tolerance }: FleetGolden, graph: FleetGraph): Uint8Array {
  const inputs = Object.entries(graphInputs(graph)).map(([name, dims]) => ({
    ...{ name, dims: [rows.length, ...dims] },
    values: joined(rows.map((row) => inputOf(row, name))),
  }));
  const dims = [rows.length, graph.leads, graph.targets, graph.quantiles.length];
  const tensors = [...inputs, { name: "quantiles", dims, values: joined(quantiles) }];
  const typed = tensors.map((tensor) => ({
    ...tensor,
    type: isHalf(tensor.values) ? ("F16" as const) : ("F32" as const),
  }));
  // float32 first, so that it stays aligned.
  typed.sort((a, b) => Number(a.type === "F16") - Number(b.type === "F16"));
  return encodeTensors(typed, { tolerance: String(tolerance) });
}

function isHalf(values: Float32Array): boolean {
  const rounded = new Float16Array(values);
  return values.every((value, i) => Object.is(rounded[i], value));
}

const mostRows = 256;
/** In residual scales; rounding to float16 takes a quarter of it. */
const mostTolerance = 0.02;

/** The golden vectors of a version. Throws artefactRejected where they do not fit its graph. */
export function decodeGolden(fleetId: string, bytes: Uint8Array, graph: FleetGraph): FleetGolden {
  const { metadata, tensors } = decodeTensors(`golden vectors of fleet ${fleetId}`, bytes);
  const count = tensors.get("quantiles")?.dims[0] ?? 0;
  const tolerance = Number(metadata.tolerance);
  if (count < 1 || count > mostRows || !(tolerance > 0 && tolerance <= mostTolerance)) {
    const text = `${count} golden vectors with tolerance ${tolerance}, 1 to ${mostRows} and up to ${mostTolerance} wanted`;
    throw new AppError("artefactRejected", `fleet ${fleetId}: ${text}`);
  }
  const rowsOf = (name: string, dims: number[]) => {
    const found = tensors.get(name);
    if (!(found?.values instanceof Float32Array) || found.dims.join() !== [count, ...dims].join()) {
      const is = found ? `[${found.dims}]` : "missing";
      throw new AppError(
        "artefactRejected",
        `fleet ${fleetId}: golden ${name} is ${is}, [${[count, ...dims]}] expected`,
      );
    }
    const size = found.values.length / count;
    const values = found.values;
    return Array.from({ length: count }, (_, row) => values.slice(row * size, (row + 1) * size));
  };
  const inputs = Object.entries(graphInputs(graph)).map(([name, dims]) => [name, rowsOf(name, dims)] as const);
  const rows = Array.from({ length: count }, (_, row): FleetRow => {
    const values = Object.fromEntries(inputs.map(([name, all]) => [name, all[row]!]));
    const { sequence, features, changes, ...own } = values;
    return {
      part: { sensorId: `golden ${row}`, tensors: own },
      sequence: sequence!,
      features: features!,
      changes: changes!,
    };
  });
  return { rows, quantiles: rowsOf("quantiles", [graph.leads, graph.targets, graph.quantiles.length]), tolerance };
}

function joined(rows: Float32Array[]): Float32Array {
  const all = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
}
