import { gridLength } from "../../core/data/grid.ts";
import { observe } from "../../core/data/observed.ts";
import { createFleetArtefact } from "../../core/model/fleet/artefact.ts";
import { linearOf, ridgeChanges } from "../../core/model/fleet/encode.ts";
import { featurePlaces, fleetHistoryLength, sequenceChannels } from "../../core/model/fleet/encoding.ts";
import { encodeGolden, type FleetRow } from "../../core/model/fleet/golden.ts";
import type { FleetGraph, FleetManifest } from "../../core/model/fleet/manifest.ts";
import { encodePart, halvedTensors, type PartFile } from "../../core/model/fleet/part-file.ts";
import { toPartFile } from "../../core/model/fleet/part-tensors.ts";
import type {
  BuiltFleet,
  BuiltSensor,
  FleetMember,
  FleetModel,
  FleetRequest,
} from "../../core/model/fleet/training.ts";
import { isEveryLead } from "../../core/model/leads.ts";
import { fromLink, type Link, toLink } from "../../core/model/link.ts";
import type { ModelManifest } from "../../core/model/manifest.ts";
import { sha256Of } from "../../core/model/sha256.ts";
import { gridSha256, modelId } from "../artefact.ts";
import type { Engine } from "../engine/engine.ts";
import { exportFleet, type FleetExport, meanSkip } from "../onnx/fleet.ts";
import { createFleetGolden } from "../onnx/golden.ts";
import { createRandom } from "../random.ts";
import { rangeOf } from "../training-grid.ts";
import { fleetShape, widthsOf } from "./dataset.ts";
import { fleetPolicy } from "./policy.ts";

/**
 * Puts a trained fleet under the model contract: graph, golden vectors and manifest, and each sensor's part with its
 * receipt.
 */
export async function buildFleetVersion(
  engine: Engine,
  request: FleetRequest,
  model: FleetModel,
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
  };
  const skips = meanSkip(shape, networks);
  const files = members.map(({ part }, i) => {
    const size = skips.length / members.length;
    return toPartFile(fleetId, { ...part, skip: skips.slice(i * size, (i + 1) * size) });
  });
  const sensors: BuiltSensor[] = [];
  for (const [i, member] of members.entries()) {
    sensors.push(
      await buildSensor(engine, request, model, member, encodePart(files[i]!, graph, halvedTensors), codeVersion),
    );
  }
  const rows = goldenRows(model, files);
  const which = Int32Array.from(rows, (_, i) => i % files.length);
  const golden = createFleetGolden(engine, exported, widthsOf(members), rows, which);
  const trainings = sensors.map(({ manifest: { training } }) => training);
  const manifest: FleetManifest = {
    formatVersion: 1,
    fleetId,
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
    },
    codeVersion,
    createdAt: request.now.toISOString(),
  };
  return { artefact: await createFleetArtefact(manifest, onnx, encodeGolden(golden, graph)), sensors };
}

async function buildSensor(
  engine: Engine,
  request: FleetRequest,
  { encoding, members, cpuSeconds }: FleetModel,
  { part, isLearnt, validation, windows }: FleetMember,
  bytes: Uint8Array,
  codeVersion: string,
): Promise<BuiltSensor> {
  const { sensorId, scaler } = part;
  const { readings } = request.sensors.find((sensor) => sensor.sensorId === sensorId)!;
  const { grid } = observe(readings, encoding.targets, encoding.stepSeconds, { upTo: request.now });
  const { from, to } = rangeOf(grid);
  const modelSha256 = await sha256Of(bytes);
  const learnt = <T>(values: T[]) => values.filter((_, k) => isLearnt[k]);
  const none = { center: [], scale: [] };
  const { links } = encoding.features;
  const manifest: ModelManifest = {
    formatVersion: 1,
    modelId: modelId(sensorId, to, modelSha256),
    sensorId,
    targets: learnt(encoding.targets),
    stepSeconds: encoding.stepSeconds,
    contextLength: encoding.contextLength,
    horizon: encoding.leads.length,
    ...(isEveryLead(encoding.leads) ? {} : { leads: encoding.leads }),
    quantiles: [...fleetPolicy.quantiles],
    features: { ...encoding.features, links: learnt(links) },
    // How features are standardised lies in the part.
    scaler: {
      ...{ mean: learnt(scaler.mean), deviation: learnt(scaler.deviation), change: learnt(scaler.change) },
      ...{ linear: none, branch: none },
    },
    // A young sensor is not asked for more than it had.
    historyLength: Math.max(encoding.contextLength, Math.min(fleetHistoryLength(encoding), gridLength(grid))),
    training: {
      ...{ engine: `wasm-${engine.build}`, seed: request.seed, from: from.toISOString(), to: to.toISOString() },
      ...{ dataSha256: await gridSha256(grid), windows, cpuSeconds: cpuSeconds / members.length },
    },
    metrics: Object.fromEntries(
      encoding.targets.flatMap(({ name }, k) => {
        const figures = validation[k];
        if (!figures || !isLearnt[k]) return [];
        const inUnit = (value: number) => value * slopeAt(links[k]!, scaler.mean[k]!);
        const [ridgeMae, ridgePinball] = [inUnit(figures.mae), inUnit(figures.pinball)];
        return [[name, { ridgeMae, ridgePinball, persistenceMae: inUnit(figures.persistenceMae) }]];
      }),
    ),
    modelSha256,
    codeVersion,
    createdAt: request.now.toISOString(),
  };
  return { manifest, bytes };
}

/** How much the target moves, in its unit, for a little on the link's scale, at `value` on that. */
function slopeAt(link: Link, value: number): number {
  const at = fromLink(link, value);
  const little = 1e-3;
  return little / (toLink(link, at + little) - value);
}

/** How far from the mean the rows' numbers go: as real ones do, and beyond where the graph bounds its features. */
const goldenReaches = [2, 2, 2, 2, 12, 12];

/** Rows with some sensors' real parts and ridge, extreme ones among them: each weight and each bound has its say. */
function goldenRows({ encoding, members }: FleetModel, files: PartFile[]): FleetRow[] {
  return goldenReaches.map((reach, i) => {
    const [part, member] = [files[i % files.length]!, members[i % files.length]!];
    const random = createRandom(0x9e3779b9 ^ i);
    const uniform = () => reach * (2 * (random() / 2 ** 32) - 1);
    const sequence = Float32Array.from({ length: encoding.contextLength * sequenceChannels(encoding) }, uniform);
    const features = Float32Array.from({ length: featurePlaces(encoding).count }, uniform);
    return { part, sequence, features, changes: ridgeChanges(encoding, member.part, features, 0) };
  });
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10).replaceAll("-", "");
}
