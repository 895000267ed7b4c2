import { pickQuantiles, type Quantiles } from "../data/quantiles.ts";
import { rounderOf, roundQuantiles } from "../data/resolution.ts";
import { type Adaptation, adaptationFor, freshAdaptation } from "../mix/adaptation.ts";
import { forecastBaseline } from "../mix/baselines.ts";
import { simpleExperts } from "../mix/experts.ts";
import { type Mix, mixOf } from "../mix/mix.ts";
import { startShares } from "../mix/weights.ts";
import { leadsOf, placesOf } from "../model/leads.ts";
import type { RegisteredModel } from "../model/registered.ts";
import { fromModelOutput, type ModelOutput } from "../model/tensors.ts";
import { countHeld, doubtOf, doubtText, widened, widenedBand } from "./doubt.ts";
import type { Forecast, Outcome } from "./forecast.ts";
import { believableOf, guardQuantiles } from "./guard.ts";
import { type KeptBands, recentBands } from "./kept-bands.ts";
import { type Refusal, type SensorPlan, type SensorSlot, servedLeads, type TargetPlan } from "./plan.ts";
import { baselineRow, modelRow, type RowBase, shadowRow } from "./rows.ts";
import type { ForecastSettings } from "./settings.ts";
import { standingText } from "./standing.ts";

/** What one model said of its sensor, or why it said nothing. */
export type ModelAnswer =
  | { ok: true; output: ModelOutput & { ok: true }; last: Float64Array; neighbours: number | null }
  | { ok: false; reason: "guardTripped" | "modelRejected"; message: string };

/** A champion that did not serve though it was to, and why. */
export type Fallback = { sensorId: string; modelId: string; reason: "guardTripped" | "modelRejected"; message: string };

/** The sensor's one outcome, the forecasts to store, and what a person should hear of. */
export type Conclusion = { outcome: Outcome; forecasts: Forecast[]; fallbacks: Fallback[] };

type Question = {
  plan: SensorPlan;
  /** When it is decided, never before the slot; the forecasts' issuedAt. */
  decidedAt: Date;
  /** Of this sensor, by modelId. */
  answers: Map<string, ModelAnswer>;
  /** Of this sensor, by target: what mixing has learnt; fresh where there is none. */
  adaptations: Map<string, Adaptation>;
  settings: ForecastSettings;
  /** What earlier slots have worked out; added to. */
  kept: KeptBands;
};
/** `simple`: see `simpleOf`. */
type Input = Question & { simple: Map<number, SimpleExperts> };
type SimpleExperts = ReturnType<typeof simpleExperts>;

/**
 * The sensor's one outcome and its rows: served ones, a baseline where the model fell out, and those of its shadows.
 */
export function conclude(question: Question): Conclusion {
  const input: Input = { ...question, simple: new Map() };
  const { plan, decidedAt, settings } = input;
  const { sensorId, slot } = plan;
  const base: RowBase = { sensorId, slot, issuedAt: decidedAt, sensor: plan.sensor, settings };
  const served = plan.targets.map((target, k) => serveTarget(base, k, target, input));
  const forecasts = served.flatMap(({ row }) => (row ? [row] : []));
  const isIssued = forecasts.some((row) => row.method === "lstm");
  const status = isIssued ? "issued" : forecasts.length > 0 ? "baseline" : "refused";
  const why = served.map(({ plan: decided }) => decided).find((decided) => decided.serve !== "model");
  const outcome: Outcome = {
    sensorId,
    slot,
    status,
    reason: why?.reason ?? null,
    reasonText: sentences(why?.message ?? null, doubtText(plan.sensor, settings), standingText(plan.sensor, settings)),
    have: why?.have ?? null,
    need: why?.need ?? null,
    held: countHeld(plan.sensor, settings),
    decidedAt,
  };
  const fallbacks = served.flatMap(({ fallback }) => (fallback ? [fallback] : []));
  return { outcome, forecasts: [...forecasts, ...shadowRows(base, input)], fallbacks };
}

function sentences(...texts: (string | null)[]): string | null {
  return texts.filter((text) => text !== null).join("; ") || null;
}

/** The conclusion about a sensor that there is nothing to be forecast for. */
export function concludeRefusal({ sensorId, slot }: SensorSlot, refusal: Refusal, decidedAt: Date): Conclusion {
  const { reason, message: reasonText, have, need } = refusal;
  return {
    outcome: { sensorId, slot, status: "refused", reason, reasonText, have, need, held: 0, decidedAt },
    forecasts: [],
    fallbacks: [],
  };
}

type Served = { plan: TargetPlan; row: Forecast | null; fallback?: Fallback };

function serveTarget(base: RowBase, k: number, plan: TargetPlan, input: Input): Served {
  if (plan.serve === "nothing") return { plan, row: null };
  if (plan.serve === "baseline") return { plan, row: fallBack(base, k, plan, input) };
  const model = input.plan.champion!;
  const made = mixWith(model, k, input);
  const known = (imputedSteps: number) => ({ imputedSteps, neighbours: neighboursOf(model, input) });
  if (made.ok) return { plan, row: modelRow(base, k, model, made.mix, known(plan.imputedSteps)) };
  const { reason, message } = made;
  const { contextLength } = model.manifest;
  const { imputedSteps } = plan;
  const instead = {
    serve: "baseline",
    reason,
    message,
    have: contextLength - imputedSteps,
    need: contextLength,
  } as const;
  const decided = { ...instead, imputedSteps };
  const fallback = { sensorId: base.sensorId, modelId: model.modelId, reason, message };
  return { plan: decided, row: fallBack(base, k, decided, input), fallback };
}

function fallBack(
  base: RowBase,
  k: number,
  plan: TargetPlan & { serve: "baseline" },
  { plan: { usual } }: Input,
): Forecast | null {
  const { fleet } = base.settings;
  const { grid, originIndex } = base.sensor;
  const { leads, stepSeconds, targets } = fleet;
  const made = forecastBaseline(grid.columns[k]!, originIndex, leads, stepSeconds, targets[k]!, usual[k]!);
  if (made === null) return null;
  return baselineRow(
    base,
    k,
    { ...made, ...widenedBand(made, doubtOf(base.sensor, k, base.settings), fleet.targets[k]!) },
    plan,
  );
}

/** What the challengers say alone, kept for scoring; one that fails has no row. */
function shadowRows(base: RowBase, input: Input): Forecast[] {
  return input.plan.shadows.flatMap(({ model, imputedSteps }) =>
    [...imputedSteps].flatMap(([k, imputed]) => {
      const made = askModel(model, k, servedLeads(model.manifest, base.settings.fleet), input);
      return made.ok
        ? [shadowRow(base, k, model, made.lstm, { imputedSteps: imputed, neighbours: neighboursOf(model, input) })]
        : [];
    }),
  );
}

/** How many other sensors the model was told of. */
function neighboursOf({ modelId }: RegisteredModel, { answers }: Input): number | null {
  const answer = answers.get(modelId);
  return answer?.ok ? answer.neighbours : null;
}

type Failure = { ok: false; reason: "guardTripped" | "modelRejected"; message: string };

/** The champion's forecast mixed with ridge, which may fail alone, the simple experts, and the newest challenger's. */
function mixWith(champion: RegisteredModel, k: number, input: Input): { ok: true; mix: Mix } | Failure {
  const { plan, adaptations, settings } = input;
  const { fleet } = settings;
  const leads = servedLeads(champion.manifest, fleet);
  const made = askModel(champion, k, leads, input);
  if (!made.ok) return made;
  const target = fleet.targets[k]!;
  const simple = simpleAt(k, leads, input);
  const challenger = askNewest(k, leads, input);
  const known = adaptations.get(target.name);
  // A late slot is not told what its later ones have taught: it starts from the shares that nothing was learnt for.
  const isKnown = known !== undefined && (known.through === null || known.through <= plan.sensor.origin);
  const state = isKnown ? adaptationFor(known, leads) : freshAdaptation(leads);
  const shares = startShares(champion.manifest.metrics[target.name], challenger !== null);
  const all = [made.lstm, made.ridge, simple.climatology, simple.persistence, challenger?.quantiles ?? null];
  const round = rounderOf(target);
  const rounded = all.map((one) => one && roundQuantiles(one, round));
  return {
    ok: true,
    mix: widened(mixOf(state, shares, rounded, challenger?.modelId), doubtOf(plan.sensor, k, settings)),
  };
}

/** The forecast of the challenger made last among those that have these leads, if it has one. */
function askNewest(k: number, leads: number[], input: Input): { modelId: string; quantiles: Quantiles } | null {
  const able = input.plan.shadows.filter(({ imputedSteps }) => imputedSteps.has(k)).map(({ model }) => model);
  const newest = able.findLast(({ manifest }) => !placesOf(leadsOf(manifest), leads).includes(-1));
  const made = newest && askModel(newest, k, leads, input);
  return made?.ok ? { modelId: newest!.modelId, quantiles: made.lstm } : null;
}

/** The simple experts at some of the fleet's leads. */
function simpleAt(k: number, leads: number[], input: Input): SimpleExperts {
  const { climatology, persistence } = simpleOf(k, input);
  const { fleet } = input.settings;
  if (leads.length === fleet.leads.length) return { climatology, persistence };
  const at = (made: Quantiles) => pickQuantiles(made, placesOf(fleet.leads, leads));
  return { climatology: climatology && at(climatology), persistence: at(persistence) };
}

/** The experts that need no training, made once a target. */
function simpleOf(k: number, { plan, settings, simple, kept }: Input): SimpleExperts {
  const known = simple.get(k);
  if (known !== undefined) return known;
  const { leads, stepSeconds, targets } = settings.fleet;
  const { grid, originIndex } = plan.sensor;
  const bands = recentBands(kept, plan, k, settings) ?? undefined;
  const made = simpleExperts(grid.columns[k]!, originIndex, leads, stepSeconds, targets[k]!, plan.usual[k]!, bands);
  simple.set(k, made);
  return made;
}

/** What one model says of a target at `leads` that it has, guarded; `ridge` null where it has none or fails alone. */
function askModel(
  model: RegisteredModel,
  k: number,
  leads: number[],
  input: Input,
): { ok: true; lstm: Quantiles; ridge: Quantiles | null } | Failure {
  const { plan, answers, settings } = input;
  const answer = answers.get(model.modelId);
  if (answer === undefined) {
    return { ok: false, reason: "modelRejected", message: `model ${model.modelId} gave no answer` };
  }
  if (!answer.ok) return answer;
  const target = settings.fleet.targets[k]!;
  const { output, last } = answer;
  const { grid, originIndex } = plan.sensor;
  const { persistence } = simpleAt(k, leads, input);
  const believable = believableOf(grid.columns[k]!, originIndex, persistence, target, leads.length);
  const guarded = (changes: Float32Array) =>
    guardQuantiles(fromModelOutput(model.manifest, changes, last, target.name, leads), target, leads, believable);
  const lstm = guarded(output.quantiles);
  if (!lstm.ok) return { ok: false, reason: "guardTripped", message: lstm.message };
  const ridge = output.ridge && guarded(output.ridge);
  return { ok: true, lstm: lstm.quantiles, ridge: ridge?.ok ? ridge.quantiles : null };
}
