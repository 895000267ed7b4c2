import * as z from "zod";
import { Target } from "../../data/reading.ts";
import { stepsPerDay } from "../../time.ts";
import { nearestLeads, nearReach, splitLeads, thinLeads } from "../leads.ts";
import { FeatureSpec } from "../manifest.ts";
import {
  channelCount,
  defaultContextLength,
  defaultSpec,
  extraCount,
  historyLength,
  linearCount,
  spread,
} from "../spec.ts";

/** A week of one-second steps, and lists that people can read. */
const steps = z.array(z.int().positive().max(604_800)).max(64);

/**
 * What the network of a fleet sees of each of its sensors, in that sensor's own units; the same for training, backtest
 * and serving. All lags, leads and windows are counted in steps, lists ascend.
 */
export const FleetEncoding = z.object({
  targets: z.array(Target).min(1).max(16),
  stepSeconds: z.int().positive().max(86_400),
  contextLength: z.int().positive().max(2_048),
  leads: z.array(z.int().positive().max(604_800)).min(1).max(2_048),
  features: FeatureSpec,
  /** Leads at which ridge's recent errors are followed, and the windows over which. */
  errorLeads: steps.min(1),
  errorWindows: steps,
  /** Leads at which the branch sees ridge's own forecast. */
  pathLeads: steps,
  /** Leads at which it is told how much of a change ridge leaves unexplained. */
  constantLeads: steps,
  /** Steps over which the changes of the sensor's neighbours enter. */
  neighbourSteps: steps,
});
export type FleetEncoding = z.infer<typeof FleetEncoding>;

const mostFarLeads = 10;
const mostFarPathLeads = 4;

/** The encoding of a fleet whose sensors know `historySteps` grid steps of their past, or most of them do. */
export function fleetEncoding(
  targets: Target[],
  stepSeconds: number,
  leads: number[],
  historySteps: number,
): FleetEncoding {
  const last = leads.at(-1)!;
  const { near, far } = splitLeads(leads);
  const base = defaultSpec(stepSeconds, historySteps, last, targets);
  const day = stepsPerDay(stepSeconds) ?? last;
  const furthest = Math.min(near.at(-1)!, day);
  const beyond = thinLeads(far, mostFarLeads).filter((lead) => lead <= day);
  const everyNear = Array.from({ length: 24 }, (_, i) => i + 1);
  const features: FeatureSpec = {
    ...base,
    dayLeads: base.useDay ? [...spread(everyNear, furthest), ...beyond] : [],
    profileLeads: base.useWeek ? [...spread([1, 4, 8, 12, 18, 24], furthest), ...beyond] : [],
  };
  const inAll = (wanted: number[]) => nearestLeads(near, wanted);
  const windows = base.harmonics > 0 && day > 12 ? [12, day, 3 * day] : [12, 48, 144];
  return {
    targets,
    stepSeconds,
    contextLength: defaultContextLength,
    leads,
    features,
    errorLeads: inAll([1, 3, 6, 12, 24]),
    errorWindows: windows,
    pathLeads: [...inAll([1, 2, 4, 8, 12, 16, 20, 24]), ...thinLeads(far, mostFarPathLeads)],
    constantLeads: [...inAll([1, 6, 12, 24]), ...far.slice(-1)],
    neighbourSteps: [1, 2, 3, 6, 12, 24],
  };
}

/**
 * The linear features that serve leads beyond the near ones, by place among a target's, and the first of those leads.
 */
export function farFeatures({ features, leads }: FleetEncoding): { lead: number; features: number[] } {
  const reach = nearReach(leads);
  const days = features.lags.length + 1 + (features.useDay ? 2 : 0);
  const beyond = (own: number[], from: number) => own.flatMap((lead, i) => (lead > reach ? [from + i] : []));
  return {
    lead: splitLeads(leads).near.length,
    features: [...beyond(features.dayLeads, days), ...beyond(features.profileLeads, days + features.dayLeads.length)],
  };
}

/**
 * The columns of the branch's input that tell of leads beyond the near ones alone, ascending: the near leads' network
 * does without them.
 */
export function farColumns(encoding: FleetEncoding): number[] {
  const { targets, leads, features, constantLeads, pathLeads } = encoding;
  const { constants, path } = featurePlaces(encoding);
  const linear = linearCount(features, targets.length);
  const reach = nearReach(leads);
  const beyond = (own: number[], from: number) => own.flatMap((lead, i) => (lead > reach ? [from + i] : []));
  const ofTargets = (columns: (target: number) => number[]) => targets.flatMap((_, target) => columns(target));
  const own = farFeatures(encoding).features;
  return [
    ...ofTargets((target) => own.map((place) => target * linear + place)),
    ...ofTargets((target) => beyond(constantLeads, constants + target * constantsPerTarget(encoding))),
    ...ofTargets((target) => beyond(pathLeads, path + target * pathLeads.length)),
  ];
}

/** Where each kind of feature begins in the branch's input, and how many there are in all. */
export type FeaturePlaces = Record<"extra" | "constants" | "errors" | "path" | "neighbours" | "count", number>;

/** Every target's linear features, then the extra ones, constants, ridge's errors, ridge's path and the neighbours. */
export function featurePlaces(encoding: FleetEncoding): FeaturePlaces {
  const targets = encoding.targets.length;
  const extra = targets * linearCount(encoding.features, targets);
  const constants = extra + extraCount(encoding.features, targets);
  const errors = constants + constantCount(encoding);
  const path = errors + targets * encoding.errorLeads.length * encoding.errorWindows.length * 2;
  const neighbours = path + targets * encoding.pathLeads.length;
  return { extra, constants, errors, path, neighbours, count: neighbours + neighbourCount(encoding) };
}

/**
 * Constants of a sensor: per target ridge's unexplained shares, three spreads and the steps' autocorrelation; the step.
 */
export function constantCount(encoding: FleetEncoding): number {
  return encoding.targets.length * constantsPerTarget(encoding) + 1;
}

function constantsPerTarget({ constantLeads }: FleetEncoding): number {
  return constantLeads.length + 4;
}

/** Neighbours' features: per target their changes, and levels beside day and week; how many they are. */
export function neighbourCount({ targets, neighbourSteps }: FleetEncoding): number {
  return targets.length * (neighbourSteps.length + 2) + 1;
}

/** Error leads that the sequence follows too: the first, the middle one and the last. */
export function sequenceErrorPlaces({ errorLeads }: FleetEncoding): number[] {
  return [...new Set([0, Math.floor((errorLeads.length - 1) / 2), errorLeads.length - 1])];
}

/** Channels of the sequence: the series' own and ridge's errors. */
export function sequenceChannels(encoding: FleetEncoding): number {
  const targets = encoding.targets.length;
  return channelCount(encoding.features, targets) + targets * sequenceErrorPlaces(encoding).length;
}

/** Grid steps, ending at the origin, that a forecast looks at when nothing is remembered of ridge's earlier ones. */
export function fleetHistoryLength(encoding: FleetEncoding): number {
  const own = historyLength(encoding.features, encoding.contextLength, encoding.stepSeconds);
  return own + errorMemoryLength(encoding);
}

/** Grid steps, ending at the origin, at which ridge's forecasts must be known. */
export function errorMemoryLength({ errorLeads, errorWindows, contextLength }: FleetEncoding): number {
  return Math.max(contextLength, ...errorWindows) + Math.max(...errorLeads);
}
