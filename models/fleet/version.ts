import { createFleetArtefact } from "../../core/model/fleet/artefact.ts";
import { linearOf, ridgeChanges } from "../../core/model/fleet/encode.ts";
import { featurePlaces, sequenceChannels } from "../../core/model/fleet/encoding.ts";
import { encodeGolden, type FleetRow } from "../../core/model/fleet/golden.ts";
import type { FleetGraph, FleetManifest } from "../../core/model/fleet/manifest.ts";
import { decodePart, encodePart, halvedTensors, type PartFile } from "../../core/model/fleet/part-file.ts";
import { toPartFile } from "../../core/model/fleet/part-tensors.ts";
import type { BuiltFleet, BuiltSensor, FleetModel, FleetRequest } from "../../core/model/fleet/training.ts";
import { sha256Of } from "../../core/model/sha256.ts";
import type { Engine } from "../engine/engine.ts";
import { exportFleet, type FleetExport, meanSkip } from "../onnx/fleet.ts";
import { createFleetGolden } from "../onnx/golden.ts";
import { createRandom } from "../random.ts";
import { fleetShape, widthsOf } from "./dataset.ts";
import { fleetPolicy } from "./policy.ts";
import type { FleetPrior } from "./prior.ts";
import { encodePrior } from "./prior-file.ts";
import { buildSensor } from "./receipts.ts";
import { sensorGrid } from "./sensor.ts";

/**
 * Puts a trained fleet under the model contract: graph, golden vectors and manifest, and each sensor's part with its
 * receipt.
 */
export async function buildFleetVersion(
  engine: Engine,
  request: FleetRequest,
  model: FleetModel,
  prior: FleetPrior | null,
  codeVersion: string,
): Promise<BuiltFleet> {
  const { encoding, members, networks } = model;
  const shape = fleetShape(encoding, members.length);
  const { ridgeShare } = fleetPolicy;
  const exported: FleetExport = { shape, members: networks, ridgeShare, weightType: "float16" };
  const onnx = exportFleet(exported);
  const fleetId = `fleet-${dayOf(request.now)}-${(await sha256Of(onnx)).slice(0, 10)}`;
  const graph: FleetGraph = {
    ...{ contextLength: encoding.contextLength, channels: sequenceChannels(encoding) },
    ...{ features: featurePlaces(encoding).count, linear: linearOf(encoding) },
    ...{ targets: encoding.targets.length, leads: encoding.leads.length, quantiles: [...fleetPolicy.quantiles] },
    ...(shape.far ? { skip: { linear: shape.linear, leads: shape.horizon } } : {}),
  };
  const skips = meanSkip(shape, networks);
  const files = members.map(({ part }, i) => {
    const size = skips.length / members.length;
    return toPartFile(fleetId, { ...part, skip: skips.slice(i * size, (i + 1) * size) });
  });
  const sensors: BuiltSensor[] = [];
  const stored: PartFile[] = [];
  const receipt = { ...request, codeVersion, engine: `wasm-${engine.build}` };
  for (const [i, member] of members.entries()) {
    const sensor = request.sensors.find(({ sensorId }) => sensorId === member.part.sensorId)!;
    const grid = sensorGrid(sensor, encoding.targets, encoding.stepSeconds, request.now);
    const bytes = encodePart(files[i]!, graph, halvedTensors);
    if (i < goldenReaches.length) stored.push(decodePart(member.part.sensorId, bytes, graph));
    const fittedOn = { grid, leftOut: sensor.leftOut ?? [] };
    sensors.push(await buildSensor(receipt, encoding, member, fittedOn, bytes, model.cpuSeconds / members.length));
  }
  const rows = goldenRows(model, stored);
  const which = Int32Array.from(rows, (_, i) => i % stored.length);
  const golden = createFleetGolden(engine, exported, widthsOf(members), rows, which);
  const trainings = sensors.map(({ manifest: { training } }) => training);
  const leftOut = sensors.flatMap(({ manifest: { sensorId, training } }) =>
    (training.leftOut ?? []).map((one) => ({ sensorId, ...one })),
  );
  const common = prior && encodePrior(prior);
  const manifest: FleetManifest = {
    formatVersion: 1,
    fleetId,
    ...(request.group ? { group: request.group } : {}),
    graph,
    encoding,
    networks: networks.length,
    ridgeShare,
    panel: model.panel.map((sensorId) => {
      const { part } = members.find((member) => member.part.sensorId === sensorId)!;
      return { sensorId, change: part.scaler.change };
    }),
    training: {
      engine: `wasm-${engine.build}`,
      seed: request.seed,
      from: trainings.map(({ from }) => from).sort()[0]!,
      to: trainings
        .map(({ to }) => to)
        .sort()
        .at(-1)!,
      dataSha256: await sha256Of(new TextEncoder().encode(trainings.map(({ dataSha256 }) => dataSha256).join("\n"))),
      sensors: members.length,
      windows: members.reduce((sum, { windows }) => sum + windows, 0),
      ...(leftOut.length > 0 ? { leftOut } : {}),
    },
    ...(common ? { prior: await sha256Of(common) } : {}),
    codeVersion,
    createdAt: request.now.toISOString(),
  };
  return { artefact: await createFleetArtefact(manifest, onnx, encodeGolden(golden, graph)), prior: common, sensors };
}

/** How far from the mean the rows' numbers go: as real ones do, and beyond where the graph bounds its features. */
const goldenReaches = [2, 2, 2, 2, 12, 12];

/**
 * Rows with some sensors' parts as they are stored and their ridge, extreme ones among them: each weight and each bound
 * has its say. Their numbers are those that float16 holds.
 */
function goldenRows({ encoding, members }: FleetModel, files: PartFile[]): FleetRow[] {
  return goldenReaches.map((reach, i) => {
    const [part, member] = [files[i % files.length]!, members[i % files.length]!];
    const random = createRandom(0x9e3779b9 ^ i);
    const uniform = () => Math.f16round(reach * (2 * (random() / 2 ** 32) - 1));
    const sequence = Float32Array.from({ length: encoding.contextLength * sequenceChannels(encoding) }, uniform);
    const features = Float32Array.from({ length: featurePlaces(encoding).count }, uniform);
    const changes = ridgeChanges(encoding, member.part, features, 0).map(Math.f16round);
    return { part, sequence, features, changes };
  });
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10).replaceAll("-", "");
}
