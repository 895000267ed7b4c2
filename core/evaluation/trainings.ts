import { gridLength } from "../data/grid.ts";
import { observe } from "../data/observed.ts";
import { levels } from "../data/quantiles.ts";
import { AppError } from "../errors.ts";
import type { EncodeModel, RunModels } from "../forecast/serve.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import { prepare, withDayMeans } from "../model/features.ts";
import { fleetHistoryLength } from "../model/fleet/encoding.ts";
import type { Neighbour } from "../model/fleet/neighbours.ts";
import { createFleetEncoder } from "../model/fleet/tensors.ts";
import type { FleetMember, FleetModel, FleetRequest, FleetResult, FleetRunner } from "../model/fleet/training.ts";
import type { ModelManifest } from "../model/manifest.ts";
import type { RegisteredModel } from "../model/registered.ts";
import type { TrainProgress } from "../model/training.ts";
import { groupCuts } from "./cuts.ts";
import { type BacktestInput, boundsOf } from "./planned.ts";

/** Trains fleets and runs what was trained. */
export type FleetPorts = {
  fleetTrainer: {
    train(
      request: FleetRequest,
      onProgress?: (progress: TrainProgress) => void,
      signal?: AbortSignal,
    ): Promise<FleetResult>;
  };
  openFleet(model: FleetModel): Promise<FleetRunner>;
};

/** A challenger and the moment, epoch ms, from which it runs beside the champion. */
export type Challenge = { from: number; model: RegisteredModel };

/** A sensor with its share of a trained fleet, asked as serving asks it. */
export type TrainedSensor = {
  champion: RegisteredModel;
  challenges: Challenge[];
  run: RunModels;
  encode: EncodeModel;
  cpuSeconds: number;
};

/** What became of the sensors: a trained one, or none; and what is to be said of each. */
export type Trained = { sensor: TrainedSensor | null; notes: string[] };

/** The end of validation, epoch ms, as a date: what is known when the plan's model is trained. */
export function validationEndOf({ plans }: BacktestInput): Date {
  return new Date(Math.min(...[...plans.values()].map((plan) => plan.validationEnd)));
}

/**
 * Trains a network for each cut of the planned sensors, from all sensors with what they had measured by then. `close`
 * ends the runners.
 */
export async function trainFleets(
  ports: FleetPorts,
  settings: ForecastSettings,
  inputs: BacktestInput[],
  onProgress: (sensorIds: string[], progress: TrainProgress) => void,
  signal?: AbortSignal,
): Promise<{ trained: Map<string, Promise<Trained>>; close(): Promise<void> }> {
  const planned = inputs.filter(({ plans }) => plans.size > 0);
  const cuts = groupCuts(
    planned.map((input) => ({
      sensorId: input.sensorId,
      since: input.readings.at[0] ?? 0,
      validationEnd: validationEndOf(input).getTime(),
    })),
  );
  const trained = new Map<string, Promise<Trained>>();
  const runners: FleetRunner[] = [];
  for (const { at, sensorIds } of cuts) {
    const judged = new Set(sensorIds);
    const training = trainCut(
      ports,
      settings,
      inputs,
      judged,
      new Date(at),
      (step) => onProgress(sensorIds, step),
      signal,
    );
    training.then(({ runner }) => runner && runners.push(runner)).catch(() => {});
    for (const sensorId of sensorIds)
      trained.set(
        sensorId,
        training.then(({ of }) => of(sensorId)),
      );
  }
  return {
    trained,
    close: async () => {
      await Promise.all(runners.map((runner) => runner.close()));
    },
  };
}

async function trainCut(
  { fleetTrainer, openFleet }: FleetPorts,
  settings: ForecastSettings,
  inputs: BacktestInput[],
  judged: Set<string>,
  now: Date,
  onProgress: (progress: TrainProgress) => void,
  signal?: AbortSignal,
): Promise<{ runner: FleetRunner | null; of(sensorId: string): Trained }> {
  const { fleet } = settings;
  const seed = inputs[0]!.seed;
  const sensors = inputs.map(({ sensorId, readings, plans }) => {
    const ends = [...plans.values()].map(({ trainEnd }) => trainEnd);
    return judged.has(sensorId) && ends.length > 0
      ? { sensorId, readings, trainEnd: new Date(Math.min(...ends)) }
      : { sensorId, readings };
  });
  const { targets, stepSeconds, leads } = fleet;
  const request: FleetRequest = { sensors, targets, stepSeconds, leads, seed, now };
  const none = (text: string) => ({
    runner: null,
    of: (sensorId: string) => ({ sensor: null, notes: [`${sensorId}: ${text}`] }),
  });
  let result: FleetResult;
  try {
    result = await fleetTrainer.train(request, onProgress, signal);
  } catch (error) {
    // Giving up one fleet must not cost the others their backtest; being told to stop must.
    signal?.throwIfAborted();
    return none(`training failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { model, refused } = result;
  const refusalOf = (sensorId: string): Trained => {
    const why = refused.find((one) => one.sensorId === sensorId)?.untrained;
    return { sensor: null, notes: [`${sensorId}: no model (${why?.reason}): ${why?.message}`] };
  };
  if (model === null) return { runner: null, of: refusalOf };
  const runner = await openFleet(model);
  const ids = model.members.map(({ part }) => part.sensorId);
  const panel = panelOf(model, inputs);
  const of = (sensorId: string): Trained => {
    const member = model.members[ids.indexOf(sensorId)];
    if (member === undefined) return refusalOf(sensorId);
    const champion = toRegistered(model, member, settings, now);
    const notes = member.untrained.map(
      ({ reason, message }) => `${sensorId}: not in the model (${reason}): ${message}`,
    );
    return { sensor: toTrainedSensor(model, member, champion, panel, runner), notes };
  };
  return { runner, of };
}

function toTrainedSensor(
  model: FleetModel,
  member: FleetMember,
  champion: RegisteredModel,
  panel: Neighbour[],
  runner: FleetRunner,
): TrainedSensor {
  const index = model.members.indexOf(member);
  const encoder = createFleetEncoder(model.encoding, member.part);
  const learnt = member.isLearnt.flatMap((is, k) => (is ? [k] : []));
  return {
    champion,
    challenges: [],
    cpuSeconds: model.cpuSeconds / model.members.length,
    encode: ({ modelId, modelSha256 }, sensor) => {
      const { sequence, features, last } = encoder(sensor, panel);
      return { modelId, modelSha256, sequence, features, last: Float64Array.from(learnt, (k) => last[k]!) };
    },
    run: async (rows) => {
      const answers = await runner.run(rows.map(({ sequence, features }) => ({ member: index, sequence, features })));
      return answers.map(({ quantiles, ridge }) => ({
        ok: true as const,
        quantiles: pickTargets(model, quantiles, learnt),
        ridge: pickTargets(model, ridge, learnt),
      }));
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
