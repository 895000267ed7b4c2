import { triplePinball } from "../data/metrics.ts";
import type { Triple } from "../data/quantiles.ts";
import type { MaturedForecast } from "../forecast/matured.ts";
import type { Score } from "../forecast/score.ts";
import type { Actual } from "./learn.ts";

/** What a target of a sensor was at a moment; undefined where it is not known. */
export type ActualOf = (sensorId: string, target: string, at: Date) => number | undefined;

/** Looks actuals up by their moments; `targets` names the columns of each sensor. */
export function actualsAt(known: Map<string, Actual[][]>, targets: { name: string }[]): ActualOf {
  const bySensor = new Map(
    [...known].map(([sensorId, columns]) => [
      sensorId,
      new Map(targets.map(({ name }, k) => [name, new Map(columns[k]!.map(({ at, value }) => [at.getTime(), value]))])),
    ]),
  );
  return (sensorId, target, at) => bySensor.get(sensorId)?.get(target)?.get(at.getTime());
}

/** The matured leads of one row to be. */
type Open = { first: MaturedForecast; actual: number; leads: MaturedForecast[] };

/** Pairs each matured lead with its actual, where there is one. */
export function scoreLeads(matured: MaturedForecast[], actualOf: ActualOf, scoredAt: Date): Score[] {
  const bySensor = new Map<string, Map<number, Open[]>>();
  const made: Open[] = [];
  for (const one of matured) {
    const ofSensor = bySensor.get(one.sensorId) ?? new Map<number, Open[]>();
    bySensor.set(one.sensorId, ofSensor);
    const at = one.targetAt.getTime();
    const ofMoment = ofSensor.get(at) ?? [];
    ofSensor.set(at, ofMoment);
    const open = openOf(ofMoment, one);
    if (open) {
      putLead(open.leads, one);
      continue;
    }
    const actual = actualOf(one.sensorId, one.target, one.targetAt);
    if (actual === undefined) continue;
    const fresh = { first: one, actual, leads: [one] };
    ofMoment.push(fresh);
    made.push(fresh);
  }
  return made.map(({ actual, leads }) => scoreRow(leads.sort(byLead), actual, scoredAt));
}

function openOf(rows: Open[], { target, modelKey }: MaturedForecast): Open | undefined {
  for (const row of rows) if (row.first.target === target && row.first.modelKey === modelKey) return row;
  return undefined;
}

/** The last one of a lead counts; origins mostly come in order, and with them falling leads. */
function putLead(leads: MaturedForecast[], one: MaturedForecast): void {
  for (let i = 0; i < leads.length; i++) {
    if (leads[i]!.lead !== one.lead) continue;
    leads[i] = one;
    return;
  }
  leads.push(one);
}

function byLead(a: MaturedForecast, b: MaturedForecast): number {
  return a.lead - b.lead;
}

/** The score of one moment by one model, of the leads that matured, ascending. */
function scoreRow(leads: MaturedForecast[], actual: number, scoredAt: Date): Score {
  const { sensorId, target, targetAt, modelKey, resolution } = leads[0]!;
  const score: Score = {
    ...{ sensorId, target, targetAt, modelKey, actual, scoredAt, resolution },
    ...{ leads: [], error: [], pinball: [], isCovered: [], ownPinball: [], ownIsCovered: [] },
    ...{ persistenceError: [], seasonalNaiveError: [] },
  };
  for (const { lead, final, mix, lastValue, seasonalNaive } of leads) {
    const own = mix?.experts[0] ?? final;
    score.leads.push(lead);
    score.error.push(actual - final[1]);
    score.pinball.push(triplePinball(final, actual));
    score.isCovered.push(covers(final, actual));
    score.ownPinball.push(triplePinball(own, actual));
    score.ownIsCovered.push(covers(own, actual));
    score.persistenceError.push(actual - lastValue);
    score.seasonalNaiveError.push(seasonalNaive === null ? null : actual - seasonalNaive);
  }
  return score;
}

function covers([q10, , q90]: Triple, actual: number): boolean {
  return q10 <= actual && actual <= q90;
}
