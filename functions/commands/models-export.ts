import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../core/errors.ts";
import { loadFleet } from "../../core/model/fleet/artefact.ts";
import type { ArtefactFiles } from "../../core/model/fleet/files.ts";
import { fromPartFile } from "../../core/model/fleet/part-tensors.ts";
import type { ModelManifest } from "../../core/model/manifest.ts";
import type { FleetInference, ModelStore, RegistryReader } from "../../core/model/ports.ts";
import type { RegisteredModel } from "../../core/model/registered.ts";
import { bindPart } from "../../models/onnx/bind.ts";

type ExportPorts = {
  registry: Pick<RegistryReader, "champions">;
  store: Pick<ModelStore, "get">;
  fleetInference: Pick<FleetInference, "open" | "parts">;
  fleetFiles: ArtefactFiles;
};

/**
 * Writes the sensor's champion into a folder as `model.onnx`, complete in itself, with `model.json`: what it is, and
 * how its inputs are made. Of a fleet's network the sensor's part is in the graph. Gives the text to print.
 */
export async function exportSensor(ports: ExportPorts, sensorId: string, folder: string): Promise<string> {
  const champion = (await ports.registry.champions([sensorId])).get(sensorId);
  if (!champion) throw new AppError("notFound", `sensor ${sensorId} has no champion to export`);
  const { fleet } = champion.manifest;
  const { onnx, description } = fleet
    ? await bindChampion(ports, champion, fleet)
    : await ownOf(ports.store, champion.modelId);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "model.onnx"), onnx);
  await writeFile(join(folder, "model.json"), `${JSON.stringify(description, null, 2)}\n`);
  return `${champion.modelId}: ${onnx.length} bytes in ${join(folder, "model.onnx")}, its inputs in model.json`;
}

async function ownOf(store: Pick<ModelStore, "get">, modelId: string) {
  const artefact = await store.get(modelId);
  if (artefact === null) throw new AppError("notFound", `model ${modelId} is not in the model store`);
  return { onnx: artefact.onnx, description: artefact.manifest };
}

/** The fleet's graph with the sensor's part as constants, and what is needed to make its inputs. */
async function bindChampion(
  { fleetInference, fleetFiles }: ExportPorts,
  { modelId, sensorId, modelSha256, manifest }: RegisteredModel,
  fleet: NonNullable<ModelManifest["fleet"]>,
) {
  const { fleetId, digest, pack } = fleet;
  const { encoding, graph, panel, ridgeShare } = await fleetInference.open({ fleetId, digest });
  const part = (await fleetInference.parts(graph, [{ sensorId, digest: modelSha256, pack }])).get(sensorId);
  if (part === undefined || part instanceof AppError) {
    throw part ?? new AppError("notFound", `the part of sensor ${sensorId} is not in the model store`);
  }
  const own = fromPartFile(part);
  const { onnx } = await loadFleet(fleetFiles, fleetId, digest);
  const list = (values: Float32Array) => Array.from(values);
  return {
    onnx: bindPart(onnx, own, encoding.targets.length),
    description: {
      ...{ modelId, sensorId, fleetId, quantiles: manifest.quantiles, forecasts: manifest.targets, ridgeShare },
      inputs: {
        sequence: ["batch", graph.contextLength, graph.channels],
        features: ["batch", graph.features],
      },
      outputs: {
        quantiles: ["batch", graph.leads, graph.targets, graph.quantiles.length],
        ridge: ["batch", graph.leads, graph.targets, graph.quantiles.length],
      },
      encoding,
      panel,
      scaler: own.scaler,
      ...{ errorScale: list(own.errorScale), pathScale: list(own.pathScale), constants: list(own.constants) },
      training: manifest.training,
    },
  };
}
