import { type Cadence, cadenceOf, fitToStep, type StepFit } from "../data/cadence.ts";
import { judgeTarget } from "../data/context.ts";
import { isValid } from "../data/quality.ts";
import { type Readings, sortReadings, type Target } from "../data/reading.ts";
import { planSensor } from "./plan.ts";
import type { ForecastSettings } from "./settings.ts";

/** One sensor as the forecaster would meet it at the slot. */
export type SensorFacts = {
  sensorId: string;
  readings: number;
  newestReadingAt: Date;
  cadenceSeconds: number | null;
  rhythm: Cadence["rhythm"];
  fit: StepFit;
  duplicates: number;
  gaps: number;
  longestGapSeconds: number | null;
  /** Whether any target would get a forecast, and whether a model would make it once it is trained. */
  isServed: boolean;
  suitsModel: boolean;
  /** Why not, in the words of an outcome; null where a model would serve every target. */
  reason: string | null;
  message: string | null;
  /** Per target: readings, those in range, an example of what is not, and whether they grew and never fell. */
  values: { target: string; measured: number; inRange: number; outside: number | null; onlyGrows: boolean }[];
};

/** Judges one sensor's readings up to `slot` by the rules that serving has. */
export function inspectSensor(
  sensorId: string,
  readings: Readings,
  slot: Date,
  settings: ForecastSettings,
): SensorFacts {
  const { fleet } = settings;
  const cadences = fleet.targets.map(({ name }) => cadenceOf(readings.at, readings.values[name] ?? new Float64Array()));
  // Targets may come in turns: the one that comes most often is the sensor's.
  const [cadence] = cadences.toSorted(
    (a, b) => (a.medianSeconds ?? Number.POSITIVE_INFINITY) - (b.medianSeconds ?? Number.POSITIVE_INFINITY),
  );
  const fit = cadence ? fitToStep(cadence, fleet.stepSeconds) : "unknown";
  return {
    sensorId,
    readings: readings.at.length,
    newestReadingAt: new Date(readings.at.reduce((newest, at) => Math.max(newest, at), 0)),
    cadenceSeconds: cadence?.medianSeconds ?? null,
    rhythm: cadence?.rhythm ?? "unknown",
    fit,
    duplicates: Math.max(0, ...cadences.map(({ duplicates }) => duplicates)),
    gaps: cadence?.gaps ?? 0,
    longestGapSeconds: cadence?.longestGapSeconds ?? null,
    ...judge(sensorId, readings, slot, settings),
    values: fleet.targets.map((target) => inspectValues(readings, target)),
  };
}

function judge(
  sensorId: string,
  readings: Readings,
  slot: Date,
  settings: ForecastSettings,
): Pick<SensorFacts, "isServed" | "suitsModel" | "reason" | "message"> {
  const plan = planSensor({ sensorId, slot, readings, champion: null, challengers: [] }, settings);
  if (!("targets" in plan)) return { isServed: false, suitsModel: false, reason: plan.reason, message: plan.message };
  const isServed = plan.targets.some(({ serve }) => serve !== "nothing");
  const stale = plan.targets.find((target) => target.serve === "baseline" && target.reason === "staleSource");
  if (stale && "reason" in stale) return { isServed, suitsModel: false, reason: stale.reason, message: stale.message };
  const need = { contextLength: settings.contextLength, historyLength: settings.contextLength };
  const verdicts = settings.fleet.targets.map((target, k) =>
    judgeTarget(plan.sensor, k, target, need, settings.context),
  );
  const refusal = verdicts.find((verdict) => !verdict.ok);
  const nothing = plan.targets.find((target) => target.serve === "nothing");
  const why = isServed ? refusal : (nothing ?? refusal);
  return {
    isServed,
    suitsModel: verdicts.some(({ ok }) => ok),
    reason: why && "reason" in why ? why.reason : null,
    message: why && "message" in why ? why.message : null,
  };
}

function inspectValues(readings: Readings, target: Target): SensorFacts["values"][number] {
  const values = (readings.values[target.name] ?? new Float64Array()).filter((value) => !Number.isNaN(value));
  const outside = values.filter((value) => !isValid(value, target));
  return {
    target: target.name,
    measured: values.length,
    inRange: values.length - outside.length,
    outside: outside.at(-1) ?? null,
    onlyGrows: target.counts === undefined && onlyGrows(readings, target),
  };
}

/** Fewer readings, or fewer steps up, may be a morning's. */
const fewestReadings = 48;
const fewestRises = 12;

/** True of a counter's readings: over more than a day they grew, stood, and never fell. */
function onlyGrows(readings: Readings, { name }: Target): boolean {
  const { at, values } = sortReadings(readings);
  const column = values[name]?.filter((value) => Number.isFinite(value)) ?? new Float64Array();
  if (column.length < fewestReadings || at.at(-1)! - at[0]! < 86_400_000) return false;
  let rises = 0;
  for (let i = 1; i < column.length; i++) {
    if (column[i]! < column[i - 1]!) return false;
    if (column[i]! > column[i - 1]!) rises++;
  }
  return rises >= fewestRises;
}
