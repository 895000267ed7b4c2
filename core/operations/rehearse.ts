import { canRehearse, type Rehearsal, type Rehearsed, rehearse } from "../alert/rehearse.ts";
import { limitsOf, type RuleBody, selects } from "../alert/rule.ts";
import { isLeftOut } from "../annotation/left-out.ts";
import type { Disturbances } from "../annotation/ports.ts";
import { gridLength, gridTime, toGrid } from "../data/grid.ts";
import type { Fleet } from "../data/reading.ts";
import { AppError } from "../errors.ts";
import type { Forecast, Outcome } from "../forecast/forecast.ts";
import type { Profiles } from "../forecast/profile.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, ceilToStep, floorToStep, secondsBetween } from "../time.ts";
import type { ForecastViews } from "../views.ts";

/** Sensors that one rehearsal may look at: more would keep an API's thread for seconds. */
export const mostSensors = 50;

/** Where a rehearsal's forecasts come from: those that were issued, or a backtest. */
export type Said = {
  /** Sensors times slots that it may be asked for. */
  mostSlots: number;
  /** Those served in the slots of [from, to), in any order. */
  forecasts(asked: { sensorIds: string[]; target: string; from: Date; to: Date }): Promise<Forecast[]>;
};

/** The forecasts as they were issued. */
export function fromLedger(views: Pick<ForecastViews, "forecasts">, { stepSeconds }: Pick<Fleet, "stepSeconds">): Said {
  return {
    mostSlots: 20_000,
    async forecasts({ sensorIds, target, from, to }) {
      const limit = Math.ceil(secondsBetween(from, to) / stepSeconds) + 1;
      const found: Forecast[] = [];
      for (const sensorId of sensorIds) {
        const made = await views.forecasts({ sensorId, targets: [target], from, to, asOf: null, limit });
        found.push(...made.filter((one) => one.isServed));
      }
      return found;
    },
  };
}

export type RehearsePorts = {
  follower: Pick<Ports["follower"], "readWindows">;
  said: Said;
  profiles: Pick<Profiles, "load">;
  annotations: Pick<Disturbances, "disturbing">;
};

export type RehearseRequest = { rule: RuleBody; sensorIds: string[]; from: Date; to: Date };

/** A point of the trade-off: the same rule with another chance or another limit. */
export type TradeOff = { chance: number; shift: number } & Pick<
  Rehearsal,
  "fired" | "true" | "false" | "missed" | "warningSeconds"
>;

export type RehearseAnswer = Rehearsal & {
  from: Date;
  to: Date;
  /** Sensors looked at, of those that the rule selects. */
  sensorIds: string[];
  selected: number;
  /** Slots that annotations leave out: nothing that began or came about in them is counted. */
  leftOutSlots: number;
  tradeOff: TradeOff[];
};

/**
 * What a rule would have done over [from, to) by the forecasts as they were issued and what then came, and what it
 * would have done with other chances and limits. What annotations leave out counts for nothing. Throws badInput for a
 * rule that cannot be held against anything.
 */
export async function rehearseRule(
  { follower, said, profiles, annotations }: RehearsePorts,
  fleet: Fleet,
  { rule, sensorIds, from, to }: RehearseRequest,
): Promise<RehearseAnswer> {
  const { condition } = rule;
  if (!canRehearse(condition)) {
    throw new AppError(
      "badInput",
      `rules of kind ${condition.kind} cannot be rehearsed: forecast and observed ones can`,
    );
  }
  const known = await profiles.load(sensorIds);
  const watched = sensorIds.filter((id) => {
    const profile = known.get(id) ?? null;
    return selects(rule, id, profile) && limitsOf(condition, profile) !== null;
  });
  const slots = Math.ceil(secondsBetween(from, to) / fleet.stepSeconds);
  const chosen = watched.slice(0, Math.max(1, Math.min(mostSensors, Math.floor(said.mostSlots / Math.max(1, slots)))));
  const within = condition.kind === "forecast" ? condition.withinSeconds : 0;
  const end = addSeconds(to, within);
  const [readings, disturbing, made] = await Promise.all([
    follower.readWindows(chosen, from, end),
    annotations.disturbing(chosen, from, end),
    said.forecasts({ sensorIds: chosen, target: condition.target, from, to }),
  ]);
  const madeOf = Map.groupBy(made, (one) => one.sensorId);
  const target = fleet.targets.find(({ name }) => name === condition.target)!;
  const sensors: Rehearsed[] = [];
  let leftOutSlots = 0;
  for (const sensorId of chosen) {
    const own = (madeOf.get(sensorId) ?? []).sort((a, b) => a.slot.getTime() - b.slot.getTime());
    const disturbances = disturbing.get(sensorId) ?? [];
    const isOut = (at: Date) => isLeftOut(disturbances, condition.target, at, fleet.stepSeconds);
    const bounds = {
      from: ceilToStep(from, fleet.stepSeconds),
      upTo: floorToStep(end, fleet.stepSeconds),
    };
    const grid = toGrid(readings.get(sensorId)!, [target], fleet.stepSeconds, bounds);
    const actuals = Array.from({ length: gridLength(grid) }, (_, i) => {
      const value = grid.columns[0]![i]!;
      const at = gridTime(grid, i);
      return { at: at.getTime(), value: Number.isNaN(value) || isOut(at) ? null : value };
    });
    // What has not been measured yet by now is the future, not a gap.
    while (actuals.length > 0 && actuals.at(-1)!.value === null) actuals.pop();
    const all = slotsOf(sensorId, own);
    const counted = all.filter(({ slot }) => !isOut(slot));
    leftOutSlots += all.length - counted.length;
    sensors.push({ sensorId, profile: known.get(sensorId) ?? null, slots: counted, actuals });
  }
  const rehearsal = rehearse(rule, sensors);
  const looked = { from, to, sensorIds: chosen, selected: watched.length, leftOutSlots };
  return { ...rehearsal, ...looked, tradeOff: tradeOffs(rule, sensors) };
}

/** Each slot with what was served, and between them those in which nothing was: there the rule was blind. */
function slotsOf(sensorId: string, made: Forecast[]): Rehearsed["slots"] {
  const gaps = made.slice(1).map((one, i) => one.slot.getTime() - made[i]!.slot.getTime());
  const every = gaps.filter((gap) => gap > 0).reduce((a, b) => Math.min(a, b), Infinity);
  return made.flatMap((one, i) => {
    const next = made[i + 1]?.slot.getTime() ?? 0;
    const lacking: Rehearsed["slots"] = [];
    for (let at = one.slot.getTime() + every; at < next; at += every) {
      lacking.push({ slot: new Date(at), outcome: null, forecasts: [] });
    }
    return [{ slot: one.slot, forecasts: [one], outcome: outcomeOf(sensorId, one.slot) }, ...lacking];
  });
}

/** That something was served is all a rule asks of an outcome; why it was stale the forecast itself says. */
function outcomeOf(sensorId: string, slot: Date): Outcome {
  const none = { reason: null, reasonText: null, have: null, need: null, held: 0 };
  return { sensorId, slot, status: "issued", ...none, decidedAt: slot };
}

const chances = [0.1, 0.2, 0.35, 0.5, 0.65, 0.8];

/** The rule at other chances, and at limits moved outwards and inwards by a tenth of the actuals' spread. */
function tradeOffs(rule: RuleBody, sensors: Rehearsed[]): TradeOff[] {
  const { condition } = rule;
  const point = (changed: RuleBody, chance: number, shift: number): TradeOff => {
    const { fired, true: came, false: not, missed, warningSeconds } = rehearse(changed, sensors);
    return { chance, shift, fired, true: came, false: not, missed, warningSeconds };
  };
  if (condition.kind !== "forecast") return [];
  const moved = (limit: number | null, by: number) => (limit === null ? null : limit + by);
  const curve = (shift: number) => {
    const limits = { low: moved(condition.low, -shift), high: moved(condition.high, shift) };
    if (limits.low !== null && limits.high !== null && limits.low >= limits.high) return [];
    return chances.map((chance) =>
      point({ ...rule, clearChance: null, condition: { ...condition, ...limits, chance } }, chance, shift),
    );
  };
  if (condition.low === null && condition.high === null) return curve(0);
  const values = sensors.flatMap(({ actuals }) => actuals.flatMap(({ value }) => value ?? [])).sort((a, b) => a - b);
  const at = (level: number) => values[Math.floor(level * (values.length - 1))] ?? 0;
  const unit = Number(((at(0.9) - at(0.1)) / 10).toPrecision(2));
  return unit > 0 ? [curve(0), curve(-unit), curve(unit)].flat() : curve(0);
}
