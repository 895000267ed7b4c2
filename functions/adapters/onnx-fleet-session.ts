import { InferenceSession, Tensor } from "onnxruntime-node";
import { AppError } from "../../core/errors.ts";
import type { FleetArtefact } from "../../core/model/fleet/artefact.ts";
import { decodeGolden, type FleetRow, graphInputs, inputOf } from "../../core/model/fleet/golden.ts";
import type { ModelOutput } from "../../core/model/tensors.ts";
import { checkGraph } from "../../models/onnx/check/check.ts";

/** A fleet's graph in memory. */
export type FleetSession = {
  /** One outcome a row, in order; rows of a wrong shape or with a number that is not finite do not run. */
  run(rows: FleetRow[]): Promise<ModelOutput[]>;
  /** Throws artefactRejected where the graph's answers are not the golden ones. */
  answerGolden(golden: Uint8Array): Promise<void>;
  /** Once what runs has run. */
  release(): Promise<void>;
};

/** `run` blocks the event loop while it computes: between batches of this many rows others have their turn. */
export const largestFleetBatch = 256;

/** Opens a graph from its bytes, never from a path, once it has been checked. Throws artefactRejected. */
export async function openFleetSession({
  manifest: { fleetId, graph },
  onnx,
}: Pick<FleetArtefact, "manifest" | "onnx">): Promise<FleetSession> {
  const session = await createSession(onnx, fleetId);
  const inputs = Object.entries(graphInputs(graph)).filter(([name]) => session.inputNames.includes(name));
  const size = graph.leads * graph.targets * graph.quantiles.length;
  let running: Promise<unknown> = Promise.resolve();

  async function runBatch(rows: FleetRow[]): Promise<ModelOutput[]> {
    const feeds = Object.fromEntries(inputs.map(([name, dims]) => [name, stack(rows, name, dims)]));
    const results = await session.run(feeds).catch((error: unknown) => {
      // What its operators do not take: the graph's fault, whatever the rows.
      const text = error instanceof Error ? error.message : String(error);
      throw new AppError("artefactRejected", `fleet ${fleetId}: run failed: ${text}`, { cause: error });
    });
    const [quantiles, ridge] = ["quantiles", "ridge"].map((name) =>
      dataOf(fleetId, name, results[name], rows.length * size),
    );
    const cut = (data: Float32Array, row: number) => data.slice(row * size, (row + 1) * size);
    return rows.map((_, row) => ({ ok: true, quantiles: cut(quantiles!, row), ridge: cut(ridge!, row) }));
  }

  async function runAll(rows: FleetRow[]): Promise<ModelOutput[]> {
    const refusals = rows.map((row) => refusalOf(row, inputs));
    const sound = rows.filter((_, i) => refusals[i] === null);
    const answers: ModelOutput[] = [];
    for (let start = 0; start < sound.length; start += largestFleetBatch) {
      answers.push(...(await runBatch(sound.slice(start, start + largestFleetBatch))));
    }
    let next = 0;
    return refusals.map((refusal) => refusal ?? answers[next++]!);
  }

  const run = (rows: FleetRow[]) => {
    const work = runAll(rows);
    // Without what came of it: that has the answers, and those of all runs before.
    running = Promise.allSettled([running, work]).then(() => undefined);
    return work;
  };

  return {
    run,
    async answerGolden(bytes) {
      const golden = decodeGolden(fleetId, bytes, graph);
      const answers = await run(golden.rows);
      for (const [row, answer] of answers.entries()) {
        if (!answer.ok)
          throw new AppError("artefactRejected", `fleet ${fleetId}: golden vector ${row}: ${answer.message}`);
        const scale = golden.rows[row]!.part.tensors.residualScale!;
        for (const [i, value] of golden.quantiles[row]!.entries()) {
          const off = Math.abs(answer.quantiles[i]! - value) / scale[Math.floor(i / graph.quantiles.length)]!;
          if (off <= golden.tolerance) continue;
          const text = `answers ${answer.quantiles[i]} instead of ${value}, ${off} residual scales off`;
          throw new AppError("artefactRejected", `fleet ${fleetId}: golden vector ${row} [${i}]: ${text}`);
        }
      }
    },
    release: async () => {
      await running;
      await session.release();
    },
  };
}

async function createSession(onnx: Uint8Array, fleetId: string): Promise<InferenceSession> {
  // ONNX Runtime would read files that a graph names, and run whatever it asks for: nothing reaches it unchecked.
  const verdict = checkGraph(onnx, largestFleetBatch);
  if (!verdict.ok) throw new AppError("artefactRejected", `fleet ${fleetId}: ${verdict.message}`);
  try {
    return await InferenceSession.create(Buffer.from(onnx), {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: "sequential",
      // Basic folds the casts of float16 weights, once for every run.
      graphOptimizationLevel: "basic",
      logSeverityLevel: 4,
    });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new AppError("artefactRejected", `fleet ${fleetId}: ONNX Runtime cannot load it: ${text}`, { cause: error });
  }
}

/**
 * The CPU LSTM operator swallows NaN and answers plausibly: what is not finite must not go in. Parts were looked at
 * when read.
 */
function refusalOf(row: FleetRow, inputs: [string, number[]][]): ModelOutput | null {
  const { sensorId } = row.part;
  for (const [name, dims] of inputs) {
    const values = inputOf(row, name);
    const size = sizeOf(dims);
    if (values.length !== size) {
      const message = `sensor ${sensorId}: input ${name} has ${values.length} numbers, ${size} expected`;
      return { ok: false, reason: "modelRejected", message };
    }
    if (name in row.part.tensors) continue;
    const bad = firstNotFinite(values);
    if (bad < 0) continue;
    const message = `sensor ${sensorId}: input ${name}[${bad}] is ${values[bad]}, not a finite number`;
    return { ok: false, reason: "guardTripped", message };
  }
  return null;
}

/** A plain loop: it sees every number that goes in. */
function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) return i;
  return -1;
}

function stack(rows: FleetRow[], name: string, dims: number[]): Tensor {
  const size = sizeOf(dims);
  const data = new Float32Array(rows.length * size);
  for (const [i, row] of rows.entries()) data.set(inputOf(row, name), i * size);
  return new Tensor("float32", data, [rows.length, ...dims]);
}

function dataOf(fleetId: string, name: string, tensor: Tensor | undefined, size: number): Float32Array {
  if (tensor?.data instanceof Float32Array && tensor.data.length === size) return tensor.data;
  const is = tensor ? `${tensor.type} [${tensor.dims}]` : "missing";
  throw new AppError("artefactRejected", `fleet ${fleetId}: output ${name} is ${is}, ${size} float32 expected`);
}

function sizeOf(dims: number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
