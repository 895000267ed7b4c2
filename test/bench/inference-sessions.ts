import { featureCount } from "../../core/model/features.ts";
import { channelCount } from "../../core/model/spec.ts";
import { onnxInference } from "../../functions/adapters/onnx.ts";
import { artefactOf as someArtefact } from "../artefacts.ts";

const log = { info: () => {}, warn: () => {}, error: () => {} };

/** A model of a single sensor, a copy for each of `sensors`, with a session of its own each. */
export async function startPerSensor(sensors: number) {
  const shipped = [await someArtefact()];
  const artefactOf = (i: number) => shipped[i % shipped.length]!;
  const idOf = (i: number) => `copy-${i}`;
  const store = {
    get: async (modelId: string) => {
      const { onnx, manifest, golden } = artefactOf(Number(modelId.slice(5)));
      return { onnx: onnx.slice(), manifest: { ...manifest, modelId }, golden };
    },
    put: async () => {},
  };
  const inference = onnxInference({ store, log }, { maximumSessions: sensors });
  return {
    modelBytes: artefactOf(0).onnx.length,
    close: () => inference.close(),
    async forecast(from: number, to: number): Promise<void> {
      const inputs = Array.from({ length: to - from }, (_, i) => {
        const { manifest } = artefactOf(from + i);
        const channels = channelCount(manifest.features, manifest.targets.length);
        return {
          ...{ modelId: idOf(from + i), modelSha256: manifest.modelSha256 },
          sequence: new Float32Array(manifest.contextLength * channels),
          features: new Float32Array(featureCount(manifest)),
        };
      });
      const answers = await inference.run(inputs);
      const failed = answers.find((answer) => !answer.ok);
      if (failed) throw new Error(`${failed.ok || failed.message}`);
    },
  };
}
