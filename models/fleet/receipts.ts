import type { Disturbance } from "../../core/annotation/annotation.ts";
import { leftOutOf } from "../../core/annotation/left-out.ts";
import { type Grid, gridLength } from "../../core/data/grid.ts";
import { type FleetEncoding, fleetHistoryLength } from "../../core/model/fleet/encoding.ts";
import type { BuiltSensor, FleetMember } from "../../core/model/fleet/training.ts";
import { isEveryLead } from "../../core/model/leads.ts";
import { fromLink, type Link, toLink } from "../../core/model/link.ts";
import type { ModelManifest } from "../../core/model/manifest.ts";
import { sha256Of } from "../../core/model/sha256.ts";
import { gridSha256, modelId, rangeOf } from "../receipt.ts";
import { fleetPolicy } from "./policy.ts";

/** Who made a model, and when. */
type Making = { engine: string; seed: number; now: Date; codeVersion: string };

/** What a part was fitted on: the grid without what is left out of it. */
export type FittedOn = { grid: Grid; leftOut: Disturbance[] };

/** A sensor's part with the manifest of its model. */
export async function buildSensor(
  { engine, seed, now, codeVersion }: Making,
  encoding: FleetEncoding,
  { part, isLearnt, validation, windows, sums }: FleetMember,
  { grid, leftOut: disturbances }: FittedOn,
  bytes: Uint8Array,
  cpuSeconds: number,
): Promise<BuiltSensor> {
  const { sensorId, scaler } = part;
  const { from, to } = rangeOf(grid);
  const modelSha256 = await sha256Of(bytes);
  const learnt = <T>(values: T[]) => values.filter((_, k) => isLearnt[k]);
  const data = { ...grid, columns: learnt(grid.columns) };
  const none = { center: [], scale: [] };
  const { links } = encoding.features;
  const leftOut = leftOutOf(grid, disturbances);
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
      ...{ engine, seed, from: from.toISOString(), to: to.toISOString() },
      ...{ dataSha256: await gridSha256(data), windows, cpuSeconds },
      ...(leftOut.length > 0 ? { leftOut } : {}),
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
    createdAt: now.toISOString(),
  };
  return { manifest, bytes, sums };
}

/** How much the target moves, in its unit, for a little on the link's scale, at `value` on that. */
function slopeAt(link: Link, value: number): number {
  const at = fromLink(link, value);
  const little = 1e-3;
  return little / (toLink(link, at + little) - value);
}
