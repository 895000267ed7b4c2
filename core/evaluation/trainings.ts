import type { EncodeModel, RunModels } from "../forecast/serve.ts";
import type { ForecastSettings } from "../forecast/settings.ts";
import type { FleetModel, FleetRequest, FleetResult, FleetRunner } from "../model/fleet/training.ts";
import type { RegisteredModel } from "../model/registered.ts";
import { renewalAt } from "../model/renewal.ts";
import type { TrainProgress } from "../model/training.ts";
import { floorToStep } from "../time.ts";
import { groupCuts } from "./cuts.ts";
import { type BacktestInput, plannedTimes } from "./planned.ts";
import { askShares, shareOf, type TrainedFleet, toTrainedFleet } from "./trained-fleet.ts";

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
 * Trains a network for each cut of the planned sensors, from all sensors with what they had measured by then; where
 * `isOnline`, and again whenever the history has grown as much as the schedule wants, up to the last planned moment.
 * `close` ends the runners.
 */
export async function trainFleets(
  ports: FleetPorts,
  settings: ForecastSettings,
  inputs: BacktestInput[],
  onProgress: (sensorIds: string[], progress: TrainProgress) => void,
  { isOnline = false, signal }: { isOnline?: boolean; signal?: AbortSignal } = {},
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
  const opened: Promise<CutTraining>[] = [];
  for (const { at, sensorIds } of cuts) {
    const judged = new Set(sensorIds);
    const later = isOnline
      ? renewals(
          planned.filter(({ sensorId }) => judged.has(sensorId)),
          at,
          settings,
        )
      : [];
    const training = trainCut(
      ports,
      settings,
      inputs,
      judged,
      { at: new Date(at), later },
      (step) => onProgress(sensorIds, step),
      signal,
    );
    opened.push(training);
    for (const sensorId of sensorIds)
      trained.set(
        sensorId,
        training.then(({ of }) => of(sensorId)),
      );
  }
  return {
    trained,
    close: async () => {
      for (const { status, ...training } of await Promise.allSettled(opened)) {
        if (status === "fulfilled" && "value" in training)
          await Promise.all(training.value.fleets.map(({ runner }) => runner.close()));
      }
    },
  };
}

/** When the networks after the cut's own are trained: as the schedule does, by the sensors' longest history. */
function renewals(judged: BacktestInput[], at: number, { fleet }: ForecastSettings): Date[] {
  const last = Math.max(...judged.flatMap(plannedTimes));
  const from = new Date(Math.min(...judged.map(({ readings }) => readings.at[0] ?? at))).toISOString();
  const { stepSeconds, leads } = fleet;
  const moments: Date[] = [];
  for (let now = new Date(at); ; ) {
    const to = now.toISOString();
    const due = renewalAt({ training: { from, to }, leads, horizon: leads.length, stepSeconds, createdAt: to });
    now = floorToStep(due, stepSeconds);
    if (now.getTime() >= last) return moments;
    moments.push(now);
  }
}

/** A cut's network, and those that followed it; or why there is none. */
type CutTraining = { fleets: TrainedFleet[]; of(sensorId: string): Trained };

/**
 * Trains the cut's network and, after it, one at each moment of `later`. Giving up one must not cost the others their
 * backtest; being told to stop must.
 */
async function trainCut(
  { fleetTrainer, openFleet }: FleetPorts,
  settings: ForecastSettings,
  inputs: BacktestInput[],
  judged: Set<string>,
  { at, later }: { at: Date; later: Date[] },
  onProgress: (progress: TrainProgress) => void,
  signal?: AbortSignal,
): Promise<CutTraining> {
  const { targets, stepSeconds, leads } = settings.fleet;
  const sensors = inputs.map(({ sensorId, readings, plans }) => {
    const ends = [...plans.values()].map(({ trainEnd }) => trainEnd);
    return judged.has(sensorId) && ends.length > 0
      ? { sensorId, readings, trainEnd: new Date(Math.min(...ends)) }
      : { sensorId, readings };
  });
  const none = (text: string) => ({
    fleets: [],
    of: (sensorId: string) => ({ sensor: null, notes: [`${sensorId}: ${text}`] }),
  });
  const train = async (now: Date, turn: number): Promise<FleetResult | Error> => {
    const request: FleetRequest = { sensors, targets, stepSeconds, leads, seed: inputs[0]!.seed + 1000 * turn, now };
    try {
      return await fleetTrainer.train(request, onProgress, signal);
    } catch (error) {
      signal?.throwIfAborted();
      return error instanceof Error ? error : new Error(String(error));
    }
  };
  const first = await train(at, 0);
  if (first instanceof Error) return none(`training failed: ${first.message}`);
  const refusalOf = (sensorId: string): Trained => {
    const why = first.refused.find((one) => one.sensorId === sensorId)?.untrained;
    return { sensor: null, notes: [`${sensorId}: no model (${why?.reason}): ${why?.message}`] };
  };
  if (first.model === null) return { fleets: [], of: refusalOf };
  const open = async (model: FleetModel, now: Date) => toTrainedFleet(model, await openFleet(model), inputs, now);
  const fleets = [await open(first.model, at)];
  const failures: string[] = [];
  for (const [i, now] of later.entries()) {
    const result = await train(now, i + 1);
    if (result instanceof Error) failures.push(`training of ${now.toISOString()} failed: ${result.message}`);
    else if (result.model !== null) fleets.push(await open(result.model, now));
  }
  const of = (sensorId: string): Trained => {
    const shares = fleets.flatMap((fleet) => shareOf(fleet, sensorId, settings) ?? []);
    const [own, ...challengers] = shares;
    if (own === undefined || own.fleet !== fleets[0]) return refusalOf(sensorId);
    const untrained = own.member.untrained.map(({ reason, message }) => `not in the model (${reason}): ${message}`);
    const sensor: TrainedSensor = {
      champion: own.registered,
      challenges: challengers.map(({ fleet, registered }) => ({ from: fleet.now.getTime(), model: registered })),
      cpuSeconds: shares.reduce((sum, { fleet: { model } }) => sum + model.cpuSeconds / model.members.length, 0),
      ...askShares(shares),
    };
    return { sensor, notes: [...untrained, ...failures].map((text) => `${sensorId}: ${text}`) };
  };
  return { fleets, of };
}
