import { type Resolution, stepLimit, stepOf, valueOfStep } from "../../../../core/data/resolution.ts";
import type { Score } from "../../../../core/forecast/score.ts";
import { isEveryLead, leadsText } from "../../../../core/model/leads.ts";
import { column, type RowOf, toFields, toRow } from "../columns.ts";
import { fromLeadList, toLeadList } from "../lead-list.ts";
import { scoresColumns } from "../tables.ts";

/*
 * A score as it is stored, the leads that are scored and no others; `scores` unrolls it for people. `steps` holds four
 * lists by lead, in whole steps of the resolution: the middle, from the step nearest to the actual on; the band, of
 * which the loss is a tenth beside the middle's error; the loss of what the model said alone, in eighths; the last
 * value as the middle. `exact` holds five lists where that does not give the numbers back: error, loss, own loss,
 * both yardsticks' errors. `covered`: a bit a lead, then a bit a lead for what the model said alone.
 */

/** What goes into the statement: lists as texts, which Postgres reads faster than as JSON. */
export const scoreRowColumns = {
  sensor_id: column<string>("text"),
  target: column<string>("text"),
  model_key: column<string>("text"),
  target_at: column<Date>("timestamptz"),
  scored_at: column<Date>("timestamptz"),
  actual: column<number>("float8"),
  multiple: column<number | null>("integer"),
  divisor: column<number | null>("integer"),
  leads: column<string | null>("text"),
  steps: column<string | null>("text"),
  seasonal: column<string | null>("text"),
  exact: column<string | null>("text"),
  covered: column<string>("text"),
  sums: column<string>("text"),
};
export type ScoreRow = RowOf<typeof scoreRowColumns>;

/** Own losses are stored in so many parts of a step. */
export const lossParts = 8;
const none = -32_768;
/** What stored steps may differ by from what was scored, in steps: experts are rounded to float32. */
const tolerance = 1e-2;

/** A score's leads that are scored, list by list. */
type Lists = {
  leads: number[];
  error: number[];
  pinball: number[];
  own: (number | null)[];
  persistence: (number | null)[];
  seasonal: (number | null)[];
  covered: string;
};

/** The row of a score: the same for a score that was read from it. */
export function toScoreRow(score: Score): ScoreRow {
  const { sensorId, target, modelKey, targetAt, scoredAt, actual, resolution } = score;
  const lists = listsOf(score);
  const steps = resolution && toSteps(lists, actual, resolution);
  const { error, pinball, own, persistence, seasonal } = lists;
  return {
    ...{ sensor_id: sensorId, target, model_key: modelKey, target_at: targetAt, scored_at: scoredAt, actual },
    multiple: steps ? resolution.multiple : null,
    divisor: steps ? resolution.divisor : null,
    leads: isEveryLead(lists.leads) ? null : leadsText(lists.leads),
    steps: steps && toText(steps.lists),
    seasonal: steps?.seasonal ? toText(steps.seasonal) : null,
    exact: steps ? null : toText([...error, ...pinball, ...own, ...persistence, ...seasonal].map(toFloat)),
    covered: lists.covered,
    sums: toText(sumsOf(lists)),
  };
}

/** A row of the view `scores`, of whatever age. */
export function toScore(row: ScoresRow): Score {
  const { multiple, divisor, ...score } = toFields(scoresColumns, row);
  const none = score.error.map(() => null);
  return {
    ...score,
    // Steps count from the actual: nobody needs to know where theirs began.
    resolution: multiple === null || divisor === null ? null : { multiple, divisor, base: 0 },
    leads: fromLeadList(score.leads, none.length),
    ownPinball: score.ownPinball ?? none,
    ownIsCovered: score.ownIsCovered ?? none,
  };
}

/** The row that the view `scores` has of it, lists with the leads that are scored. */
export function toScoresRow(score: Score): ScoresRow {
  const { multiple, divisor } = score.resolution ?? { multiple: null, divisor: null };
  return toRow(scoresColumns, { ...score, multiple, divisor, leads: toLeadList(score.leads) });
}

type ScoresRow = RowOf<typeof scoresColumns>;

function listsOf(score: Score): Lists {
  const places = score.leads.flatMap((_, h) => (score.error[h] == null ? [] : [h]));
  const pick = <T>(values: T[]): (T | null)[] => places.map((h) => values[h] ?? null);
  const bits = (values: (boolean | null)[]) => places.map((h) => (values[h] ? "1" : "0")).join("");
  return {
    leads: places.map((h) => score.leads[h]!),
    error: places.map((h) => score.error[h]!),
    pinball: places.map((h) => score.pinball[h] ?? 0),
    own: pick(score.ownPinball),
    persistence: pick(score.persistenceError),
    seasonal: pick(score.seasonalNaiveError),
    covered: bits(score.isCovered) + bits(score.ownIsCovered),
  };
}

/** The lists in whole steps; null where one does not fit, or does not come out again. */
function toSteps({ error, pinball, own, persistence, seasonal, covered }: Lists, actual: number, of: Resolution) {
  const { multiple, divisor } = of;
  if (multiple > 2 ** 31 - 1 || divisor > 2 ** 31 - 1) return null;
  const size = multiple / divisor;
  const nearest = Math.floor((actual * divisor) / multiple + 0.5);
  const near = { multiple, divisor, base: nearest };
  const middle = error.map((one) => stepOf(near, actual - one));
  const isMiddle = (step: number, one: number) => isNear(actual - valueOfStep(near, step), one, size);
  const share = (h: number) => (covered[h] === "1" ? 0.5 : 1.5) * Math.abs(actual - valueOfStep(near, middle[h]!));
  const band = pinball.map((loss, h) => Math.round((3 * loss - share(h)) / (0.1 * size)));
  const ownLoss = own.map((loss) => (loss === null ? none : Math.round((loss / size) * lossParts)));
  const last = persistence.map((one) => (one === null ? none : stepOf(near, actual - one)));
  const naive = seasonal.map((one) => (one === null ? none : stepOf(near, actual - one)));
  const fits = (list: number[]) => list.every((step) => step === none || Math.abs(step) <= stepLimit);
  const isSame =
    middle.every((step, h) => isMiddle(step, error[h]!)) &&
    band.every((step, h) => isNear((share(h) + 0.1 * step * size) / 3, pinball[h]!, size)) &&
    last.every((step, h) => persistence[h] === null || isMiddle(step, persistence[h]!)) &&
    naive.every((step, h) => seasonal[h] === null || isMiddle(step, seasonal[h]!));
  const lists = [...middle, ...band, ...ownLoss, ...last];
  if (!isSame || !fits(lists) || !fits(naive)) return null;
  // All leads of a moment have the same yesterday, mostly.
  return { lists, seasonal: naive.every((step) => step === naive[0]) ? naive.slice(0, 1) : naive };
}

function isNear(a: number, b: number, size: number): boolean {
  return Math.abs(a - b) <= tolerance * size;
}

/**
 * Scored leads, covered ones, sums of absolute errors and persistence's; leads with a seasonal naive, its errors'
 * sum and that of the errors there. Of what is read back, so that it does not matter who sums.
 */
function sumsOf({ error, persistence, seasonal, covered }: Lists): number[] {
  const n = error.length;
  const sums = [n, 0, 0, 0, 0, 0, 0];
  for (let h = 0; h < n; h++) {
    const size = Math.abs(Math.fround(error[h]!));
    const yesterday = seasonal[h] ?? null;
    sums[1]! += covered[h] === "1" ? 1 : 0;
    sums[2]! += size;
    sums[3]! += Math.abs(Math.fround(persistence[h] ?? 0));
    if (yesterday === null) continue;
    sums[4]!++;
    sums[5]! += Math.abs(Math.fround(yesterday));
    sums[6]! += size;
  }
  return sums.map(Math.fround);
}

function toFloat(value: number | null): number | null {
  return value === null ? null : Math.fround(value);
}

function toText(list: (number | null)[]): string {
  return `{${list.map((one) => one ?? "null").join(",")}}`;
}
