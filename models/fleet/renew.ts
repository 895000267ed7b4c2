import { receiptsOf, withoutLeftOut } from "../../core/annotation/left-out.ts";
import { gridLength, gridTime } from "../../core/data/grid.ts";
import { observe } from "../../core/data/observed.ts";
import { linearOf } from "../../core/model/fleet/encode.ts";
import { type FleetEncoding, farFeatures } from "../../core/model/fleet/encoding.ts";
import type { SensorPart } from "../../core/model/fleet/part.ts";
import { encodePart, halvedTensors } from "../../core/model/fleet/part-file.ts";
import { fromPartFile, toPartFile } from "../../core/model/fleet/part-tensors.ts";
import type { BuiltParts, BuiltSensor, RenewingSensor, RenewRequest } from "../../core/model/fleet/training.ts";
import { prepare, withDayMeans } from "../../core/model/history.ts";
import { sha256Of } from "../../core/model/sha256.ts";
import { addSeconds } from "../../core/time.ts";
import { gridSha256, modelId } from "../receipt.ts";
import { solveLeads } from "../ridge/linear.ts";
import { crossLeads } from "./cross-fit.ts";
import { blendFar } from "./far.ts";
import { addRows, equationsOf, newRows, residualScaleOf, type TargetSums } from "./sums.ts";
import { decodeSums, encodeSums } from "./sums-file.ts";

/**
 * Parts renewed with the readings since their sums were kept: milliseconds a sensor, whatever its history. Ridge, its
 * scales and the errors that it makes on days that it has not seen follow; how features are standardised, and the
 * networks' own skip, stay those of the version. A sensor without a whole new row stays as it is.
 */
export async function renewParts(request: RenewRequest, cpuSeconds: () => number): Promise<BuiltParts> {
  const made: BuiltParts = { sensors: [], refused: [] };
  for (const sensor of request.sensors) {
    const startedCpu = cpuSeconds();
    const renewed = await renewSensor(request, sensor, () => cpuSeconds() - startedCpu);
    if (renewed !== null) made.sensors.push(renewed);
  }
  return made;
}

async function renewSensor(
  { version, now, codeVersion }: RenewRequest,
  { readings, leftOut: disturbances = [], part: file, sums: bytes, manifest: before }: RenewingSensor,
  cpuSeconds: () => number,
): Promise<BuiltSensor | null> {
  const { encoding, graph, fleetId } = version;
  const { stepSeconds, targets } = encoding;
  const part = fromPartFile(file);
  const sums = decodeSums(bytes);
  const grid = withoutLeftOut(observe(readings, targets, stepSeconds, { upTo: now }).grid, targets, disturbances);
  const end = gridLength(grid);
  if (end === 0) return null;
  const history = withDayMeans(prepare(grid, encoding.features.links));
  const from = Math.max(0, Math.round((sums.throughSeconds - history.startSeconds) / stepSeconds) + 1);
  const { rows, data } = newRows(encoding, part, history, { from, end });
  if (rows === 0) return null;
  const grown = sums.targets.map((own, k) => addRows(own, data[k]!, rows, weightsOf(encoding, part, k), encoding));
  const renewed = resolve(encoding, part, sums.targets, grown);
  const throughSeconds = history.startSeconds + (end - 1 - encoding.leads.at(-1)!) * stepSeconds;
  const partBytes = encodePart(toPartFile(fleetId, renewed), graph, halvedTensors);
  const modelSha256 = await sha256Of(partBytes);
  const to = gridTime(grid, end - 1);
  const since = addSeconds(new Date(before.training.to), stepSeconds);
  const learnt = before.targets.map(({ name }) => targets.findIndex((target) => target.name === name));
  const added = observe(after(readings, addSeconds(since, -stepSeconds)), targets, stepSeconds, {
    from: since,
    upTo: to,
  });
  const counted = withoutLeftOut(added.grid, targets, disturbances);
  const dataSha256 = await gridSha256({ ...counted, columns: learnt.map((k) => counted.columns[k]!) });
  const leftOut = receiptsOf(disturbances, { from: new Date(before.training.from), to }, stepSeconds);
  return {
    bytes: partBytes,
    sums: { through: new Date(throughSeconds * 1000), bytes: encodeSums({ throughSeconds, targets: grown }) },
    manifest: {
      ...before,
      modelId: modelId(before.sensorId, to, modelSha256),
      modelSha256,
      training: {
        ...before.training,
        to: to.toISOString(),
        dataSha256,
        windows: before.training.windows + rows,
        cpuSeconds: cpuSeconds(),
        ...(leftOut.length > 0 ? { leftOut } : {}),
        renewed: { of: before.modelId, from: since.toISOString() },
      },
      codeVersion,
      createdAt: now.toISOString(),
    },
  };
}

function after({ at, values }: RenewingSensor["readings"], time: Date): RenewingSensor["readings"] {
  const kept = (column: Float64Array) => column.filter((_, i) => at[i]! > time.getTime());
  return { at: kept(at), values: Object.fromEntries(Object.entries(values).map(([name, one]) => [name, kept(one)])) };
}

/** The part's ridge of one target, [leads, size + 1]. */
function weightsOf(encoding: FleetEncoding, { ridge }: SensorPart, k: number): Float64Array {
  const width = linearOf(encoding) + 1;
  const leads = encoding.leads.length;
  return Float64Array.from({ length: leads * width }, (_, i) => {
    const [h, j] = [Math.floor(i / width), i % width];
    return ridge[(k * width + j) * leads + h]!;
  });
}

/** The part with the ridge of the sums as they have `grown`; its bands keep their shape. */
function resolve(encoding: FleetEncoding, part: SensorPart, sums: TargetSums[], grown: TargetSums[]): SensorPart {
  const targets = grown.length;
  const far = farFeatures(encoding);
  const leads = encoding.leads.length;
  const width = linearOf(encoding) + 1;
  const levels = part.bands.length / part.residualScale.length;
  const cross = crossLeads(encoding);
  const [ridge, residualScale, bands] = [part.ridge.slice(), part.residualScale.slice(), part.bands.slice()];
  const errorScale = part.errorScale.slice();
  const every = encoding.leads.map((_, h) => h);
  grown.forEach((own, k) => {
    const ridgeOf = solveLeads(equationsOf(own), own.penalties, every, far);
    const weights = blendFar(encoding, part.scaler, k, ridgeOf, own.shares);
    const scale = residualScaleOf(own, weights);
    const before = residualScaleOf(sums[k]!, weightsOf(encoding, part, k));
    for (let h = 0; h < leads; h++) {
      const cell = h * targets + k;
      for (let j = 0; j < width; j++) ridge[(k * width + j) * leads + h] = weights[h * width + j]!;
      // The scale is of blocks that had not been seen: it moves as what is left of the seen ones does.
      const factor = before[h]! > 1e-9 ? scale[h]! / before[h]! : 0;
      if (!(factor * residualScale[cell]! > 1e-9)) continue;
      for (let q = 0; q < levels; q++) bands[cell * levels + q]! *= factor;
      residualScale[cell]! *= factor;
    }
    encoding.errorLeads.forEach((lead, i) => {
      const at = cross.indexOf(lead);
      const square = own.errorSquares[at]! / Math.max(1, own.errorCounts[at]!);
      errorScale[k * encoding.errorLeads.length + i] = Math.max(Math.sqrt(square), 1e-9);
    });
  });
  return { ...part, ridge, residualScale, bands, errorScale };
}
