import { gridLength } from "../data/grid.ts";
import { observe } from "../data/observed.ts";
import { levels } from "../data/quantiles.ts";
import { AppError } from "../errors.ts";
import type { EncodeModel, RunModels } from "../forecast/serve.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import { fleetHistoryLength } from "../model/fleet/encoding.ts";
import type { Neighbour } from "../model/fleet/neighbours.ts";
import { createFleetEncoder } from "../model/fleet/tensors.ts";
import type { FleetMember, FleetModel, FleetRunner } from "../model/fleet/training.ts";
import { prepare, withDayMeans } from "../model/history.ts";
import type { ModelManifest } from "../model/manifest.ts";
import type { RegisteredModel } from "../model/registered.ts";
import type { ModelInput, ModelOutput } from "../model/tensors.ts";
import { type BacktestInput, boundsOf } from "./planned.ts";

/** A fleet's network as it was trained at a moment, ready to be run; `panel`: whom its sensors look at. */
export type TrainedFleet = { model: FleetModel; runner: FleetRunner; panel: Neighbour[]; now: Date };

/** A sensor's share of a trained fleet, as serving would find it in the registry. */
export type FleetShare = { fleet: TrainedFleet; member: FleetMember; registered: RegisteredModel };

/** The fleet's network with the panel's whole past: what is looked at ends at the origin. */
export function toTrainedFleet(
  model: FleetModel,
  runner: FleetRunner,
  inputs: BacktestInput[],
  now: Date,
): TrainedFleet {
  return { model, runner, panel: panelOf(model, inputs), now };
}

/** The sensor's share; undefined where the fleet has none of it. */
export function shareOf(fleet: TrainedFleet, sensorId: string, settings: ForecastSettings): FleetShare | undefined {
  const member = fleet.model.members.find(({ part }) => part.sensorId === sensorId);
  return member && { fleet, member, registered: toRegistered(fleet.model, member, settings, fleet.now) };
}

/** Encodes and runs one sensor's models, each by its own share. */
export function askShares(shares: FleetShare[]): { encode: EncodeModel; run: RunModels } {
  const known = new Map(
    shares.map(({ fleet, member, registered }) => {
      const learnt = member.isLearnt.flatMap((is, k) => (is ? [k] : []));
      const encode = createFleetEncoder(fleet.model.encoding, member.part);
      return [registered.modelId, { fleet, index: fleet.model.members.indexOf(member), learnt, encode }];
    }),
  );
  const ask = async (modelId: string, rows: ModelInput[]): Promise<ModelOutput[]> => {
    const { fleet, index, learnt } = known.get(modelId)!;
    const of = rows.map(({ sequence, features }) => ({ member: index, sequence, features }));
    return (await fleet.runner.run(of)).map(({ quantiles, ridge }) => ({
      ok: true,
      quantiles: pickTargets(fleet.model, quantiles, learnt),
      ridge: pickTargets(fleet.model, ridge, learnt),
    }));
  };
  return {
    encode: ({ modelId, modelSha256 }, sensor) => {
      const { fleet, learnt, encode } = known.get(modelId)!;
      const { sequence, features, last } = encode(sensor, fleet.panel);
      return { modelId, modelSha256, sequence, features, last: Float64Array.from(learnt, (k) => last[k]!) };
    },
    run: async (rows) => {
      const outputs = new Map<ModelInput, ModelOutput>();
      for (const [modelId, own] of Map.groupBy(rows, (row) => row.modelId)) {
        const answers = await ask(modelId, own);
        for (const [i, row] of own.entries()) outputs.set(row, answers[i]!);
      }
      return rows.map((row) => outputs.get(row)!);
    },
  };
}

/** Of [leads, targets, quantiles] those of some targets. */
function pickTargets({ encoding }: FleetModel, values: Float32Array, learnt: number[]): Float32Array {
  const targets = encoding.targets.length;
  if (learnt.length === targets) return values;
  const levels = values.length / targets / encoding.leads.length;
  const rows = encoding.leads.flatMap((_, h) => learnt.map((k) => (h * targets + k) * levels));
  return Float32Array.from(rows.flatMap((from) => [...values.subarray(from, from + levels)]));
}

/** The panel with all that it ever measured: what is looked at ends at the origin. */
function panelOf({ encoding, members, panel }: FleetModel, inputs: BacktestInput[]): Neighbour[] {
  return panel.map((sensorId) => {
    const { readings } = inputs.find((input) => input.sensorId === sensorId)!;
    const { part } = members.find((member) => member.part.sensorId === sensorId)!;
    const bounds = boundsOf(readings, encoding.stepSeconds);
    const { grid } = observe(readings, encoding.targets, encoding.stepSeconds, bounds);
    if (gridLength(grid) === 0) throw new AppError("internal", `${sensorId} is in the panel without readings`);
    return { sensorId, history: withDayMeans(prepare(grid, encoding.features.links)), change: part.scaler.change };
  });
}

/** The sensor's model as serving would find it in the registry. */
function toRegistered(
  { encoding, cpuSeconds, members }: FleetModel,
  { part, isLearnt, validation, windows }: FleetMember,
  settings: ForecastSettings,
  now: Date,
): RegisteredModel {
  const modelId = `fleet-${now.getTime()}-${members.findIndex((member) => member.part === part)}`;
  const modelSha256 = "0".repeat(64);
  const at = now.toISOString();
  const manifest: ModelManifest = {
    formatVersion: 1,
    modelId,
    sensorId: part.sensorId,
    targets: encoding.targets.filter((_, k) => isLearnt[k]),
    stepSeconds: encoding.stepSeconds,
    contextLength: encoding.contextLength,
    horizon: encoding.leads.length,
    leads: encoding.leads,
    quantiles: [...levels],
    features: { ...encoding.features, links: encoding.features.links.filter((_, k) => isLearnt[k]) },
    scaler: part.scaler,
    historyLength: fleetHistoryLength(encoding),
    training: { engine: "fleet", seed: 0, from: at, to: at, dataSha256: modelSha256, windows, cpuSeconds },
    metrics: Object.fromEntries(
      encoding.targets.flatMap(({ name }, k) => {
        const figures = validation[k];
        if (!figures || !isLearnt[k]) return [];
        const { mae, pinball, persistenceMae } = figures;
        return [[name, { mae, pinball, coverage: 0.8, ridgeMae: mae, ridgePinball: pinball, persistenceMae }]];
      }),
    ),
    modelSha256,
    codeVersion: settings.codeVersion,
    createdAt: at,
  };
  const life = {
    status: "champion",
    createdAt: now,
    promotedAt: now,
    retiredAt: null,
    statusReason: "backtest",
  } as const;
  return { modelId, sensorId: part.sensorId, manifest, modelSha256, digest: null, ...life };
}
