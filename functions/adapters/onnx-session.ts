import { InferenceSession, Tensor } from "onnxruntime-node";
import { AppError } from "../../core/errors.ts";
import { featureCount } from "../../core/model/features.ts";
import type { ModelManifest } from "../../core/model/manifest.ts";
import { channelCount } from "../../core/model/spec.ts";
import type { ModelInput, ModelOutput } from "../../core/model/tensors.ts";
import { checkGraph } from "../../models/onnx/check/check.ts";

/** A model in memory. */
export type OnnxSession = {
  /** One outcome per input, in order; inputs of a wrong shape or with a number that is not finite do not run. */
  run(inputs: ModelInput[]): Promise<ModelOutput[]>;
  release(): Promise<void>;
};

/** `run` blocks the event loop while it computes: between batches of this many rows others have their turn. */
export const largestBatch = 64;

/** Opens a model from its bytes, never from a path, once its graph has been checked. Throws artefactRejected. */
export async function openSession(onnx: Uint8Array, manifest: ModelManifest): Promise<OnnxSession> {
  const session = await createSession(onnx, manifest.modelId);
  const shape = {
    sequence: [manifest.contextLength, channelCount(manifest.features, manifest.targets.length)],
    features: [featureCount(manifest)],
  };
  const output = [manifest.horizon, manifest.targets.length, manifest.quantiles.length];
  return {
    async run(inputs) {
      const answers: ModelOutput[] = inputs.map((input) => refusalOf(input, shape) ?? noAnswer);
      const rows = inputs.flatMap((input, i) => (answers[i] === noAnswer ? [{ input, i }] : []));
      for (let start = 0; start < rows.length; start += largestBatch) {
        const batch = rows.slice(start, start + largestBatch);
        const made = await runBatch(
          session,
          batch.map(({ input }) => input),
          shape,
          output,
        );
        made.forEach((answer, row) => {
          answers[batch[row]!.i] = answer;
        });
      }
      return answers;
    },
    release: () => session.release(),
  };
}

const noAnswer: ModelOutput = { ok: false, reason: "modelRejected", message: "not run" };

async function createSession(onnx: Uint8Array, modelId: string): Promise<InferenceSession> {
  // ONNX Runtime would read files that a graph names, and run whatever it asks for: nothing reaches it unchecked.
  const verdict = checkGraph(onnx, largestBatch);
  if (!verdict.ok) throw new AppError("artefactRejected", `${modelId}: ${verdict.message}`);
  try {
    // One thread: else every session brings its own pool.
    return await InferenceSession.create(Buffer.from(onnx), {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: "sequential",
      // Optimising these small graphs costs more than it ever saves: 11 instead of 6 ms a session, the same per run.
      graphOptimizationLevel: "disabled",
      logSeverityLevel: 4,
    });
  } catch (error) {
    throw new AppError("artefactRejected", `${modelId}: ONNX Runtime cannot load it: ${textOf(error)}`, {
      cause: error,
    });
  }
}

type Shape = { sequence: number[]; features: number[] };

/** The CPU LSTM operator swallows NaN and answers plausibly: what is not finite must not go in. */
function refusalOf(input: ModelInput, shape: Shape): ModelOutput | null {
  for (const name of ["sequence", "features"] as const) {
    const tensor = input[name];
    const size = sizeOf(shape[name]);
    if (tensor.length !== size) {
      const message = `${input.modelId}: input ${name} has ${tensor.length} numbers, ${size} expected`;
      return { ok: false, reason: "modelRejected", message };
    }
    const bad = tensor.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const message = `${input.modelId}: input ${name}[${bad}] is ${tensor[bad]}, not a finite number`;
      return { ok: false, reason: "guardTripped", message };
    }
  }
  return null;
}

async function runBatch(
  session: InferenceSession,
  inputs: ModelInput[],
  shape: Shape,
  output: number[],
): Promise<ModelOutput[]> {
  const feeds: Record<string, Tensor> = {};
  for (const name of ["sequence", "features"] as const) {
    if (session.inputNames.includes(name))
      feeds[name] = stack(
        inputs.map((input) => input[name]),
        shape[name],
      );
  }
  try {
    const results = await session.run(feeds);
    const quantiles = unstack(results.quantiles, "quantiles", inputs.length, output);
    const ridge = results.ridge ? unstack(results.ridge, "ridge", inputs.length, output) : null;
    return quantiles.map((values, row) => ({ ok: true, quantiles: values, ridge: ridge?.[row] ?? null }));
  } catch (error) {
    const message = `${inputs[0]?.modelId}: run failed: ${textOf(error)}`;
    return inputs.map(() => ({ ok: false, reason: "modelRejected", message }));
  }
}

function stack(rows: Float32Array[], shape: number[]): Tensor {
  const size = sizeOf(shape);
  const data = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    data.set(row, i * size);
  });
  return new Tensor("float32", data, [rows.length, ...shape]);
}

function unstack(tensor: Tensor | undefined, name: string, rows: number, shape: number[]): Float32Array[] {
  const wanted = [rows, ...shape];
  if (!tensor || !(tensor.data instanceof Float32Array) || tensor.dims.join() !== wanted.join()) {
    const is = tensor ? `${tensor.type} [${tensor.dims}]` : "missing";
    throw new AppError("artefactRejected", `output ${name} is ${is}, float32 [${wanted}] expected`);
  }
  const { data } = tensor;
  const size = sizeOf(shape);
  return Array.from({ length: rows }, (_, row) => data.slice(row * size, (row + 1) * size));
}

function sizeOf(shape: number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
